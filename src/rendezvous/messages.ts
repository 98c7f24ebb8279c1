import { type ActrType, formatActrType } from "../protocol/ids.ts";
import {
  type AIdCredential,
  AIdCredentialSchema,
  create,
  type MessageInit,
  type SignalingEnvelopeSchema,
  type SignalingToActrSchema,
} from "../protocol/schema.ts";
import { encodeSignaling } from "../protocol/signaling.ts";

/** What an envelope carries. */
export type Flow = NonNullable<MessageInit<typeof SignalingEnvelopeSchema>["flow"]>;

/** What the server tells a node. */
export type Payload = NonNullable<MessageInit<typeof SignalingToActrSchema>["payload"]>;

/** Envelope fields beside the flow. */
export interface MessageHead {
  /** envelope_id of the request that this answers. */
  readonly replyFor?: string | undefined;
}

/** The credential that says nothing: what peers see in place of the sender's (`spec/protocol.md` §7.5). */
export const blankCredential: AIdCredential = create(AIdCredentialSchema, {
  keyId: 0,
  claims: new Uint8Array(0),
  signature: new Uint8Array(0),
});

/** One signaling message. @throws ActrError `invalid_argument` when a required field of the flow is missing. */
export function encodeMessage(flow: Flow, envelopeId: string, head: MessageHead = {}): Uint8Array {
  const { replyFor } = head;
  return encodeSignaling({ envelopeId, ...(replyFor !== undefined && { replyFor }), flow });
}

/** Whether a received message has an optional field; the default of one that it lacks sits on the prototype. */
export function has<T extends object>(message: T, field: keyof T): boolean {
  return Object.hasOwn(message, field);
}

/** Text of a type in a message; other peers may leave a required message out, and mean an empty one (`spec/protocol.md` §2.1). */
export function typeText(type: ActrType | undefined): string {
  return type === undefined ? "::" : formatActrType(type);
}
