import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { MailboxRow } from "../ports/store.ts";
import { isDurableSend } from "../protocol/durable.ts";
import { decodeEnvelope } from "../protocol/envelope.ts";
import { decodeActrId } from "../protocol/ids.ts";
import { Peer } from "../session/peer.ts";
import type { DeadLetterCategory, DeadLetters } from "./dead_letters.ts";
import type { InboundMessage } from "./message.ts";

/** Collaborators of {@link recoverRow}. */
export interface RecoveryComponents {
  readonly clock: Clock;
  readonly deadLetters: DeadLetters;
}

/**
 * The message that a row of the store is; none when it cannot be handed out any more: then it is a dead letter.
 * @throws ActrError `storage` when that cannot be written: the row is still there.
 */
export async function recoverRow(
  row: MailboxRow,
  components: RecoveryComponents,
  options: { readonly maxAttempts: number },
): Promise<InboundMessage | undefined> {
  if (row.attempts >= options.maxAttempts) {
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
