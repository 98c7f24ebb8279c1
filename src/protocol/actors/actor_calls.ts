import type { ActorKey } from "../../actor.ts";
import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";

/**
 * Routes by which Roost nodes reach the actors of each other, like a service's; other Actr peers answer `unknown_route`.
 * Payloads are CBOR: of `Act` `[target, action, args]`, of `Resolve` `target`, of `Create` `[name, key, input]`. A
 * target is `[id]`, `[name, key]`, or `[name, key, input]` where the actor is made when there is none. `Act` is answered
 * with what the action returns, the others with an id.
 */
export const actorRoutes = {
  act: "roost.Actors.Act",
  resolve: "roost.Actors.Resolve",
  create: "roost.Actors.Create",
} as const;

/** One action that is asked for. */
export interface ActRequest {
  readonly target: CallTarget;
  readonly action: string;
  readonly args: readonly unknown[];
}

/** One actor that is to be made. */
export interface CreateRequest {
  readonly name: string;
  readonly key: ActorKey;
  readonly input: unknown;
}

/** @throws ActrError `actor.unsupported_value` for arguments that cannot be sent. */
export function encodeAct({ target, action, args }: ActRequest): Uint8Array {
  return encodeCbor([targetOf(target), action, args]);
}

/** @throws ActrError `decode_failure`. */
export function decodeAct(payload: Uint8Array): ActRequest {
  const [target, action, args] = list(decodeCbor(payload));
  if (typeof action !== "string" || !Array.isArray(args)) throw malformed();
  return { target: readTarget(target), action, args };
}

/** @throws ActrError `actor.unsupported_value` for an input that cannot be sent. */
export function encodeResolve(target: CallTarget): Uint8Array {
  return encodeCbor(targetOf(target));
}

/** @throws ActrError `decode_failure`. */
export function decodeResolve(payload: Uint8Array): CallTarget {
  return readTarget(decodeCbor(payload));
}

/** @throws ActrError `actor.unsupported_value` for an input that cannot be sent. */
export function encodeCreate({ name, key, input }: CreateRequest): Uint8Array {
  return encodeCbor([name, key, input]);
}

/** @throws ActrError `decode_failure`. */
export function decodeCreate(payload: Uint8Array): CreateRequest {
  const [name, key, input] = list(decodeCbor(payload));
  if (typeof name !== "string" || !isKey(key)) throw malformed();
  return { name, key, input };
}

/** The id of an answer. @throws ActrError `decode_failure`. */
export function decodeId(answer: Uint8Array): string {
  const id = decodeCbor(answer);
  if (typeof id !== "string") throw malformed();
  return id;
}

function targetOf(target: CallTarget): readonly unknown[] {
  if ("id" in target) return [target.id];
  const { name, key, create } = target;
  return create === undefined ? [name, key] : [name, key, create.input];
}

function readTarget(value: unknown): CallTarget {
  const parts = list(value);
  const [first, key, input] = parts;
  if (typeof first !== "string") throw malformed();
  if (parts.length === 1) return { id: first };
  if (!isKey(key)) throw malformed();
  return parts.length === 2 ? { name: first, key } : { name: first, key, create: { input } };
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw malformed();
}

function isKey(value: unknown): value is ActorKey {
  return Array.isArray(value) && value.every((part) => typeof part === "string");
}

function malformed(): ActrError {
  return new ActrError("decode_failure", "a message about actors has not the parts that it must");
}
