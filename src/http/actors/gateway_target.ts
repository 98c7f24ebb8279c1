import type { ActorKey } from "../../actor.ts";
import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import { checkActorKey } from "../../protocol/actors/actor_key.ts";
import { revived } from "../../protocol/actors/escaping.ts";
import { fromBase64 } from "../../protocol/bytes.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";

/** Whom a request below `/gateway` is for, and what is left of it for the actor (`spec/actor-client.md` §4). */
export interface GatewayRequest {
  readonly target: CallTarget;
  /** Begins with `/`, or is empty. */
  readonly path: string;
  /** Begins with `?`, or is empty. */
  readonly query: string;
  readonly token: string | undefined;
}

/** Parameters of an address by key. */
const parameters = new Set([
  "rvt-namespace",
  "rvt-method",
  "rvt-runner",
  "rvt-pool",
  "rvt-key",
  "rvt-input",
  "rvt-region",
  "rvt-crash-policy",
  "rvt-token",
  "rvt-skip-ready-wait",
]);

/**
 * Reads an address: `/ID[@TOKEN]/PATH`, or `/NAME/PATH` with parameters `rvt-…`, which the actor does not get to see.
 * @param path what follows `/gateway`. @param search with its `?`.
 * @throws ActrError `actor.invalid_request`.
 */
export function readGatewayTarget(path: string, search: string): GatewayRequest {
  const [, segment = "", rest = ""] = /^\/([^/]*)(.*)$/s.exec(path) ?? [];
  const pairs = search
    .replace(/^\?/, "")
    .split("&")
    .filter((pair) => pair !== "");
  const own = pairs.filter((pair) => pair.startsWith("rvt-"));
  if (own.length === 0) return { ...byId(segment), path: rest, query: search };
  if (segment.includes("@")) throw invalid("an address by key has its token in rvt-token");
  const others = pairs.filter((pair) => !pair.startsWith("rvt-"));
  const query = others.length === 0 ? "" : `?${others.join("&")}`;
  return { ...byKey(decoded(segment), readParameters(own)), path: rest, query };
}

function byId(segment: string): Pick<GatewayRequest, "target" | "token"> {
  const at = segment.indexOf("@");
  const id = decoded(at < 0 ? segment : segment.slice(0, at));
  if (id === "") throw invalid("the address has no actor");
  return { target: { id }, token: at < 0 ? undefined : decoded(segment.slice(at + 1)) };
}

function byKey(
  name: string,
  given: ReadonlyMap<string, string>,
): Pick<GatewayRequest, "target" | "token"> {
  const text = given.get("rvt-key") ?? "";
  // An empty text is the empty key: a key of one empty part cannot be told from it.
  const key = checkedKey(text === "" ? [] : text.split(","));
  const token = given.get("rvt-token");
  const method = given.get("rvt-method");
  switch (method) {
    case "get":
      return { target: { name, key }, token };
    case "getOrCreate":
      return { target: { name, key, create: { input: readInput(given.get("rvt-input")) } }, token };
    default:
      throw invalid(`rvt-method is ${JSON.stringify(method)}; it is get or getOrCreate`);
  }
}

/** A key that a client gave. @throws ActrError `actor.invalid_request` for one that is too long. */
export function checkedKey(key: ActorKey): ActorKey {
  try {
    checkActorKey(key);
    return key;
  } catch (cause) {
    throw new ActrError("actor.invalid_request", (cause as RangeError).message, { cause });
  }
}

function readParameters(pairs: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    if (!parameters.has(name)) throw invalid(`${name} is no parameter of an address`);
    if (given.has(name)) throw invalid(`${name} is given twice`);
    given.set(name, equals < 0 ? "" : decoded(pair.slice(equals + 1).replaceAll("+", " ")));
  }
  return given;
}

/** Base64 of URLs, without padding, of CBOR. */
function readInput(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = fromBase64(standard.padEnd(Math.ceil(standard.length / 4) * 4, "="));
  if (bytes === undefined) throw invalid("rvt-input is no base64");
  try {
    return revived(decodeCbor(bytes));
  } catch (cause) {
    throw new ActrError("actor.invalid_request", "rvt-input is no CBOR", { cause });
  }
}

/** A part of a path without its percent signs. @throws ActrError `actor.invalid_request` for one that is wrong. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ActrError("actor.invalid_request", "the address has a wrong percent sign", { cause });
  }
}

function invalid(message: string): ActrError {
  return new ActrError("actor.invalid_request", message);
}
