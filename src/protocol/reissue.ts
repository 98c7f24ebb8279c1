import { ActrError } from "../errors.ts";
import { type ActrId, decodeActrId, encodeActrId } from "./ids.ts";
import { WireReader } from "./wire_reader.ts";
import { delimitedSize, tag, varint32Size, WireWriter, wireTypes } from "./wire_writer.ts";

/** How a node asks for its identity again after its renewal token ended (`spec/real-client.md`, renewal). */
export interface ReissueRequest {
  readonly id: ActrId;
  /** The encoded RegisterRequest that it registered with. */
  readonly registration: Uint8Array;
  readonly renewalToken: Uint8Array;
}

const tags = {
  actrId: tag(1, wireTypes.delimited),
  registration: tag(2, wireTypes.delimited),
  renewalToken: tag(3, wireTypes.delimited),
} as const;

/** The request as it is sent. */
export function encodeReissue(request: ReissueRequest): Uint8Array<ArrayBuffer> {
  const fields = [
    [tags.actrId, encodeActrId(request.id)],
    [tags.registration, request.registration],
    [tags.renewalToken, request.renewalToken],
  ] as const;
  const sizes = fields.map(([its, value]) => varint32Size(its) + delimitedSize(value.length));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const writer = new WireWriter(new Uint8Array(size));
  for (const [its, value] of fields) {
    writer.varint32(its);
    writer.bytes(value);
  }
  return writer.finish();
}

/** The request in `bytes`, its parts views of them. @throws ActrError `decode_failure`, also when a part is missing. */
export function decodeReissue(bytes: Uint8Array): ReissueRequest {
  const reader = new WireReader("ReissueRequest", bytes);
  let id: ActrId | undefined;
  let registration: Uint8Array | undefined;
  let renewalToken: Uint8Array | undefined;
  while (!reader.done) {
    const fieldTag = reader.tag();
    if (fieldTag === tags.actrId) id = decodeActrId(reader.bytes());
    else if (fieldTag === tags.registration) registration = reader.bytes();
    else if (fieldTag === tags.renewalToken) renewalToken = reader.bytes();
    else reader.skip(fieldTag);
  }
  if (id === undefined || registration === undefined || renewalToken === undefined) {
    throw new ActrError("decode_failure", "ReissueRequest: id, registration or token is missing");
  }
  return { id, registration, renewalToken };
}
