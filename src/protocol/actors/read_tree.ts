import { ActrError } from "../../errors.ts";
import type { QueueSend, ToServer } from "./messages.ts";

/** A message as it stands in JSON or CBOR, once read. */
export type Tree = Readonly<Record<string, unknown>>;

/** Arguments: none when there are none, one when it is no array (`spec/actor-client.md` §7). */
export function readArguments(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** The object that a body must be. @throws ActrError `decode_failure`. */
export function readTree(value: unknown): Tree {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Tree;
  throw new ActrError("decode_failure", "the message is no object");
}

/** A message for a queue. */
export function readQueueTree(tree: Tree): QueueSend {
  const { body, wait, timeout } = tree;
  const timeoutMs =
    typeof timeout === "number" || typeof timeout === "bigint" ? Number(timeout) : undefined;
  return { body, wait: wait === true, timeoutMs };
}

/** What a client sent on its connection. @throws ActrError `decode_failure`. */
export function readToServer(tree: Tree): ToServer {
  const { tag, val } = readTree(tree["body"]);
  const value = readTree(val);
  switch (tag) {
    case "ActionRequest": {
      const { id, name, args } = value;
      if (typeof name !== "string") throw new ActrError("decode_failure", "an action has a name");
      return { tag, id: readId(id), name, args: readArguments(args) };
    }
    case "SubscriptionRequest": {
      const { eventName, subscribe } = value;
      if (typeof eventName === "string" && typeof subscribe === "boolean") {
        return { tag, eventName, subscribe };
      }
      throw new ActrError("decode_failure", "a subscription has an event's name and says whether");
    }
    default:
      throw new ActrError("decode_failure", `a client sends no ${String(tag).slice(0, 40)}`);
  }
}

function readId(id: unknown): bigint {
  if (typeof id === "bigint") return id;
  if (typeof id === "number" && Number.isSafeInteger(id)) return BigInt(id);
  throw new ActrError("decode_failure", "the id of an action is a whole number");
}
