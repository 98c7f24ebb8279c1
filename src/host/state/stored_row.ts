import { ActrError } from "../../errors.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";

/** Version of the form of an actor's rows; greater ones are of later releases. */
const rowVersion = 1;

/** A row as it is stored: `[version, row]` as CBOR. @throws ActrError `actor.unsupported_value`. */
export function encodeRow(row: object): Uint8Array<ArrayBuffer> {
  return encodeCbor([rowVersion, row]);
}

/** A stored row. @param what begins the error's text. @throws ActrError `protocol.invalid_persisted_data`. */
export function decodeRow<Row>(bytes: Uint8Array, what: string): Row {
  const [version, row] = parts(bytes, what);
  if (version === rowVersion) return row as Row;
  const message = `${what} has version ${String(version)}; this release reads ${rowVersion}, a later one wrote it`;
  throw new ActrError("protocol.invalid_persisted_data", message);
}

function parts(bytes: Uint8Array, what: string): readonly unknown[] {
  let cause: unknown;
  try {
    const stored = decodeCbor(bytes);
    if (Array.isArray(stored)) return stored;
  } catch (error) {
    cause = error;
  }
  throw new ActrError("protocol.invalid_persisted_data", `${what} cannot be read`, { cause });
}
