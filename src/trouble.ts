/**
 * What can go wrong while a node runs (`spec/node.md` §7.2): fields of its log line. `severity` says how grave it is,
 * from 4, an answer that nobody waits for, to 10, where something may be lost; `error_category` of what kind, where the
 * event's name does not say it all.
 */
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
} as const;
