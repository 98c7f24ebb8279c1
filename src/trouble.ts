import type { LogAttributes } from "./ports/logger.ts";

/** How grave something is that the log tells of, and of what kind; fields of its line. */
interface Trouble extends LogAttributes {
  /** From 4, an answer that nobody waits for, to 10, where something may be lost. */
  readonly severity: number;
  /** Stable word; absent where the event's name says it all. */
  readonly error_category?: string;
}

/** What can go wrong while a node runs (`spec/node.md` §7.2). */
export const troubles = {
  orphanResponse: { severity: 4, error_category: "orphan_response" },
  aclDenied: { severity: 5, error_category: "acl_denied" },
  /** A way to a peer or to signaling is gone; another one is taken or opened. */
  wayLost: { severity: 5, error_category: "transport_error" },
  handlerError: { severity: 6, error_category: "handler_error" },
  replyFailed: { severity: 7, error_category: "transport_error" },
  malformedResponse: { severity: 7, error_category: "protocol_error" },
  readFailed: { severity: 8, error_category: "transport_error" },
  unknownSender: { severity: 8, error_category: "protobuf_decode" },
  handlerPanic: { severity: 8, error_category: "handler_panic" },
  mailboxFailed: { severity: 9, error_category: "mailbox_error" },
  poison: { severity: 9, error_category: "protobuf_decode" },
  registrationRefused: { severity: 10, error_category: "registration_error" },
  deadLetterUnwritten: { severity: 10 },
} as const satisfies Readonly<Record<string, Trouble>>;
