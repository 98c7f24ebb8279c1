import type { ConflictKey } from "../define.ts";
import { ActrError } from "../errors.ts";
import { type KeyField, projectField } from "../protocol/key_field.ts";
import type { MethodCodec } from "../protocol/service.ts";

/** The key of an encoded request of `caller`; undefined when the request has none, and so runs alone. */
export type KeyOf = (payload: Uint8Array, caller: string) => string | undefined;

/**
 * Reads the keys that a method declares. Methods of one domain share their keys; a domain of its own is the
 * default (`spec/node.md` §10.3).
 * @throws ActrError `config` for a field that cannot be a key.
 */
export function keyReader(codec: MethodCodec, declared: ConflictKey<unknown>): KeyOf {
  const domain = declared.domain ?? codec.routeKey;
  if (declared.sender === true) return keyOfSender(domain);
  const name = String(declared.field);
  const field = codec.keyField(name);
  if (field === undefined) {
    throw new ActrError(
      "config",
      `conflictKey of ${codec.routeKey} is the field ${name}; use a whole number, bool, enum, string or bytes of the request`,
    );
  }
  return keyOfField(domain, field);
}

/** Calls of one caller wait for each other. */
export function keyOfSender(domain: string): KeyOf {
  const prefix = prefixOf(domain);
  return (_payload, caller) => prefix + caller;
}

/** Calls with one value of a field wait for each other; those without it run alone. */
export function keyOfField(domain: string, field: KeyField): KeyOf {
  const prefix = prefixOf(domain);
  return (payload) => {
    const value = projectField(payload, field);
    return value === undefined ? undefined : prefix + value;
  };
}

/** Sets the keys of one domain apart from those of others. */
function prefixOf(domain: string): string {
  return `${domain}\u0000`;
}
