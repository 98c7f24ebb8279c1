import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";
import { BareReader, BareWriter } from "./bare.ts";
import { bareLayer, escaped, revived } from "./escaping.ts";
import type { ErrorBody } from "./messages.ts";

/** The version of the bodies that a client writes (`spec/actor-client.md` §6). */
const version = 4;

/** The body of a call of an action. */
export function writeActionRequest(args: readonly unknown[]): Uint8Array<ArrayBuffer> {
  const payload = encodeCbor(escaped(args, bareLayer));
  return new BareWriter().byte(version).byte(0).data(payload).finish();
}

/** What an action returned. @throws ActrError `decode_failure`. */
export function readActionResponse(body: Uint8Array): unknown {
  return revived(decodeCbor(open(body).data()));
}

/** Why an action was refused, or failed. @throws ActrError `decode_failure`. */
export function readErrorBody(body: Uint8Array): ErrorBody {
  const reader = open(body);
  const [group, code, message] = [reader.str(), reader.str(), reader.str()];
  const metadata = reader.optional(() => revived(decodeCbor(reader.data())));
  return { group, code, message, metadata };
}

/** A body behind its version. */
function open(body: Uint8Array): BareReader {
  const reader = new BareReader(body);
  reader.byte();
  reader.byte();
  return reader;
}
