import type { CallTarget } from "../actor_client.ts";
import { bareLayer, escaped } from "../protocol/actors/escaping.ts";
import { toBase64 } from "../protocol/bytes.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";

/**
 * Path and query, below a node's address, of something of one actor (`spec/actor-client.md` §4).
 * @param path of the actor's own, with its query. @param token where no header can hold it. @throws RangeError for a key whose parts have commas.
 */
export function gatewayUrl(target: CallTarget, path: string, token?: string): string {
  if ("id" in target) {
    const opener = token === undefined ? "" : `@${encodeURIComponent(token)}`;
    return `/gateway/${encodeURIComponent(target.id)}${opener}${path}`;
  }
  const query = addressOf(target);
  if (token !== undefined) query.set("rvt-token", token);
  const mark = path.includes("?") ? "&" : "?";
  return `/gateway/${encodeURIComponent(target.name)}${path}${mark}${query}`;
}

/** Base64 of CBOR, as inputs travel. */
export function encodedInput(input: unknown): string {
  return toBase64(encodeCbor(escaped(input, bareLayer)));
}

/** The address by key (§4.2), whose parts could not be told apart if they had commas. */
function addressOf({ key, create }: Exclude<CallTarget, { readonly id: string }>): URLSearchParams {
  for (const part of key) {
    if (part.includes(",") || (part === "" && key.length === 1)) {
      const given = JSON.stringify(part);
      throw new RangeError(`a part of an actor's key is ${given}; it may have no comma`);
    }
  }
  const query = new URLSearchParams({
    "rvt-namespace": "default",
    "rvt-method": create === undefined ? "get" : "getOrCreate",
  });
  if (key.length > 0) query.set("rvt-key", key.join(","));
  if (create === undefined) return query;
  query.set("rvt-runner", "default");
  if (create.input !== undefined) query.set("rvt-input", base64Url(create.input));
  return query;
}

function base64Url(input: unknown): string {
  return encodedInput(input).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
