import { encodeCbor } from "../../protocol/cbor/encode.ts";

/** @throws ActrError `actor.unsupported_value`, naming the place, for what cannot be stored. */
export function requireStorable(value: unknown): void {
  // Every other kind of value can be.
  switch (typeof value) {
    case "object":
    case "function":
    case "symbol":
      encodeCbor(value);
  }
}
