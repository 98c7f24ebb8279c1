import { isFieldSet } from "@bufbuild/protobuf";
import { ActrError } from "../errors.ts";
import { type SignalingEnvelope, SignalingEnvelopeSchema } from "./gen/signaling_pb.ts";
import { fromActrIdMessage } from "./id_messages.ts";
import { decode, encode, type MessageInit } from "./schema.ts";

/** The version that we write; any is read (`spec/protocol.md` §7.2). */
export const envelopeVersion = 2;

/** A signaling message to send; the version is added. */
export interface SignalingInit {
  readonly envelopeId: string;
  /** Envelope id of the request that this answers. */
  readonly replyFor?: string;
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly flow: NonNullable<MessageInit<typeof SignalingEnvelopeSchema>["flow"]>;
}

/** Bytes of one signaling message. @throws ActrError `invalid_argument` when a required field is missing. */
export function encodeSignaling(envelope: SignalingInit): Uint8Array<ArrayBuffer> {
  const { traceparent, tracestate, ...rest } = envelope;
  return encode(SignalingEnvelopeSchema, {
    ...rest,
    envelopeVersion,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  });
}

/**
 * The signaling message in `bytes`. It has its envelope id, and whom it comes from or goes to: an ActrId with realm,
 * serial number and type, as `fromActrIdMessage` wants it. Everything else may be missing.
 * @throws ActrError `decode_failure`, nothing else.
 */
export function decodeSignaling(bytes: Uint8Array): SignalingEnvelope {
  const envelope = decode(SignalingEnvelopeSchema, bytes);
  if (!isFieldSet(envelope, SignalingEnvelopeSchema.field.envelopeId)) throw missing("envelope_id");
  const { flow } = envelope;
  switch (flow.case) {
    case "actrToServer":
      fromActrIdMessage(flow.value.source);
      if (flow.value.credential === undefined) throw missing("credential");
      break;
    case "serverToActr":
      fromActrIdMessage(flow.value.target);
      break;
    case "actrRelay":
      fromActrIdMessage(flow.value.source);
      fromActrIdMessage(flow.value.target);
      break;
    default:
      break;
  }
  return envelope;
}

function missing(field: string): ActrError {
  return new ActrError("decode_failure", `SignalingEnvelope: ${field} is missing`);
}
