import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { MailboxRow, Store } from "../ports/store.ts";
import { isDurableSend } from "../protocol/durable.ts";
import { decodeEnvelope } from "../protocol/envelope.ts";
import { decodeActrId } from "../protocol/ids.ts";
import { Peer } from "../session/peer.ts";
import type { DeadLetterCategory, DeadLetters } from "./dead_letters.ts";
import type { Mailbox } from "./mailbox.ts";
import type { InboundMessage } from "./message.ts";

/** Collaborators of {@link recoverMailbox}. */
export interface RecoveryComponents {
  readonly clock: Clock;
  readonly store: Store;
  readonly mailbox: Mailbox;
  readonly deadLetters: DeadLetters;
}

/** Rows read at once. */
const pageSize = 1024;

/**
 * Puts what an earlier process left in the store back into the mailbox, in its order; what cannot be
 * handed out any more becomes a dead letter. Returns how many messages came back.
 * @throws ActrError `storage`.
 */
export async function recoverMailbox(
  components: RecoveryComponents,
  options: { readonly maxAttempts: number },
): Promise<number> {
  const { store, mailbox } = components;
  let restored = 0;
  for (let afterSeq = 0; ; ) {
    const rows = await store.mailboxRows(afterSeq, pageSize);
    for (const row of rows) {
      const message = await readRow(row, components, options.maxAttempts);
      if (message === undefined) continue;
      mailbox.restore(message);
      restored += 1;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageSize) return restored;
    afterSeq = last.seq;
  }
}

async function readRow(
  row: MailboxRow,
  components: RecoveryComponents,
  maxAttempts: number,
): Promise<InboundMessage | undefined> {
  if (row.attempts >= maxAttempts) {
    const reason = `held by a process that died, ${row.attempts} times`;
    return await bury(row, "exhausted", reason, components);
  }
  try {
    return restoredMessage(row, components.clock);
  } catch (error) {
    const { message, details } = ActrError.from(error, "decode_failure");
    const category = details?.["part"] === "sender" ? "unknown_sender" : "protobuf_decode";
    return await bury(row, category, message, components);
  }
}

function restoredMessage(row: MailboxRow, clock: Clock): InboundMessage {
  const envelope = decodeEnvelope(row.payload);
  return {
    envelope,
    from: sender(row),
    link: undefined,
    priority: row.priority,
    size: row.payload.length,
    arrivedAt: clock.monotonic(),
    row,
    answered: isDurableSend(envelope.metadata),
  };
}

/** An unreadable sender is nobody: never taken for the host (`spec/node.md` D-09). */
function sender(row: MailboxRow): Peer {
  try {
    return new Peer(decodeActrId(row.from));
  } catch (cause) {
    throw new ActrError("decode_failure", `${row.from.length} bytes are no ActrId of a sender`, {
      cause,
      details: { part: "sender" },
    });
  }
}

async function bury(
  row: MailboxRow,
  category: DeadLetterCategory,
  reason: string,
  { deadLetters }: RecoveryComponents,
): Promise<undefined> {
  await deadLetters.put(
    {
      category,
      reason,
      rawBytes: row.payload,
      from: row.from,
      requestId: null,
      row,
      source: "mailbox",
    },
    [{ kind: "mailbox.ack", seq: row.seq }],
  );
  return undefined;
}
