import type { DeadLetter, MailboxRow, StoredAnswer } from "../../src/ports/store.ts";

/** A mailbox row with this seq; every field differs from its default. */
export function row(seq: number, changes: Partial<MailboxRow> = {}): MailboxRow {
  return {
    seq,
    id: `00000000-0000-4000-8000-${String(seq).padStart(12, "0")}`,
    from: new Uint8Array([8, 1, 16, seq & 127]),
    payload: new Uint8Array([seq & 255, 0, 255]),
    priority: seq % 2 === 0 ? 1 : 0,
    enqueuedAt: 1_700_000_000_000 + seq,
    attempts: 0,
    notBefore: 0,
    ...changes,
  };
}

/** A dead letter with this number in its id. */
export function letter(n: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id: `dead-${n}`,
    messageId: `message-${n}`,
    from: new Uint8Array([1]),
    to: new Uint8Array([2]),
    rawBytes: new Uint8Array([n, 255]),
    reason: "Protobuf decode failed: truncated",
    category: "protobuf_decode",
    traceId: `mailbox-${n}`,
    requestId: `request-${n}`,
    createdAt: 1000 + n,
    redriveAttempts: 0,
    lastRedriveAt: 5,
    context: '{"source":"mailbox","priority":"high"}',
    ...changes,
  };
}

/** The answer with this number, to a request of its own. */
export function answer(seq: number, changes: Partial<StoredAnswer> = {}): StoredAnswer {
  return {
    seq,
    caller: "c",
    requestId: `request-${seq}`,
    response: new Uint8Array([seq & 255, 0, 255]),
    expiresAt: 1_700_000_000_000 + seq,
    ...changes,
  };
}
