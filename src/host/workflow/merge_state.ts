import { ActrError } from "../../errors.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";

/** An actor's state. */
export interface StateSeat {
  /** Seen through what tells of its changes. */
  state: unknown;
  /** As it is stored. */
  readonly rawState: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Puts what a step has made of `base` into the state, which may have changed meanwhile in other fields; the function
 * returned does it. @throws ActrError `unavailable` when both have changed the same field.
 */
export function mergeState(seat: StateSeat, base: unknown, mine: unknown): () => void {
  const theirs = seat.rawState;
  if (!isRecord(base) || !isRecord(mine) || !isRecord(theirs)) {
    if (!isSame(base, theirs)) throw conflict("the state");
    return () => {
      seat.state = mine;
    };
  }
  const changed = [...new Set([...Object.keys(base), ...Object.keys(mine)])].filter(
    (name) => !isSameField(base, mine, name),
  );
  for (const name of changed) if (!isSameField(base, theirs, name)) throw conflict(`state.${name}`);
  return () => {
    const state = seat.state as Record<string, unknown>;
    for (const name of changed) {
      if (Object.hasOwn(mine, name)) state[name] = mine[name];
      else delete state[name];
    }
  };
}

function isRecord(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isSameField(a: Fields, b: Fields, name: string): boolean {
  return Object.hasOwn(a, name) === Object.hasOwn(b, name) && isSame(a[name], b[name]);
}

function isSame(a: unknown, b: unknown): boolean {
  return equalBytes(encodeCbor(a), encodeCbor(b));
}

function conflict(what: string): ActrError {
  return new ActrError("unavailable", `${what} was changed beside the step that changes it`);
}
