import type { QueueMessage } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import type { MessageOptions } from "../../workflow.ts";
import { checkedBy } from "../check.ts";
import type { Life } from "./life.ts";
import { type EntryRow, isDone } from "./rows.ts";
import { never, type Strand } from "./strand.ts";

type Received = Pick<QueueMessage, "id" | "queue" | "body" | "sentAt" | "complete">;

/** The message of an entry, waited for if it has not come yet; undefined when none came in time. @throws ActrError `queue.not_found`. */
export async function receiveMessage(
  life: Life,
  strand: Strand,
  row: EntryRow,
  options: MessageOptions<string>,
): Promise<Received | undefined> {
  if (!isDone(row)) await receive(life, strand, row, options);
  return messageOf(life, row.seq);
}

/** A message leaves its queue in the commit that makes it part of the history. */
async function receive(
  { instance, journal, signal }: Life,
  strand: Strand,
  row: EntryRow,
  { names, completable = false }: MessageOptions<string>,
): Promise<void> {
  const { wakesAt } = row;
  const timeoutMs = wakesAt && Math.max(0, wakesAt - journal.now);
  const { queues, stopping } = instance;
  const done = { state: "completed" as const, wakesAt: undefined };
  const scope = {
    signal: AbortSignal.any([stopping, signal, strand.signal]),
    waits: () => strand.waits(wakesAt),
    goesOn: () => strand.goesOn(),
    takeOver({ id, queue, body, sentAt }: QueueMessage): void {
      const message = { id, queue, body: encodeCbor(body), sentAt, completed: !completable };
      journal.change(row, { ...done, endedAt: journal.now, message });
      if (!completable) queues.completed(Number(id), undefined);
    },
  };
  const wanted = { ...(names && { names }), ...(timeoutMs !== undefined && { timeoutMs }) };
  await queues.receive(wanted, scope).catch(endOfWait);
  const current = journal.entry(row.seq);
  if (current !== undefined && !isDone(current)) {
    journal.change(current, { ...done, endedAt: journal.now });
  }
  journal.save();
}

function messageOf(life: Life, seq: number): Received | undefined {
  const message = life.journal.entry(seq)?.message;
  if (message === undefined) return undefined;
  const { id, queue, body, sentAt } = message;
  const complete = async (response?: unknown): Promise<void> =>
    await completeMessage(life, seq, { id, queue, response });
  return { id, queue, body: decodeCbor(body), sentAt, complete };
}

/** Tells the sender, once. @throws ActrError `queue.invalid_completion_payload`. */
async function completeMessage(
  life: Life,
  seq: number,
  {
    id,
    queue,
    response,
  }: { readonly id: string; readonly queue: string; readonly response: unknown },
): Promise<void> {
  const { journal, instance } = life;
  const { completion } = instance.queues.lane(queue).definition;
  const checked = await checkedBy(completion, response, "queue.invalid_completion_payload");
  if (life.isOver) return await never();
  const row = journal.entry(seq);
  if (row?.message === undefined || row.message.completed) return;
  journal.change(row, { message: { ...row.message, completed: true } });
  instance.queues.completed(Number(id), checked);
  await journal.saved();
}

/** The wait was ended with what it was part of. */
function endOfWait(error: unknown): Promise<never> {
  if (ActrError.is(error) && error.code === "actor.aborted") return never();
  throw error;
}
