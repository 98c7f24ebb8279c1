import type { ActrError } from "../errors.ts";
import type { StoreChange } from "../ports/store.ts";
import { decodeCbor } from "../protocol/cbor/decode.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";
import type { Instance } from "./instance.ts";
import type { QueueRow } from "./queues/queue_row.ts";
import type { ScheduleRow } from "./schedules/schedule_row.ts";

/** The dead letter of a schedule that failed too often. */
export function buriedSchedule(
  instance: Instance,
  row: ScheduleRow,
  error: ActrError,
): StoreChange {
  return letter(instance, "actor_schedule", row, row.fireId, error);
}

/** The dead letter of a message of a queue that nobody completes. */
export function buriedMessage(instance: Instance, row: QueueRow, error: ActrError): StoreChange {
  const readable = { ...row, body: decodeCbor(row.body) };
  return letter(instance, "actor_queue", readable, String(row.seq), error);
}

function letter(
  { id, kind, key, components }: Instance,
  category: string,
  row: object,
  messageId: string,
  error: ActrError,
): StoreChange {
  const { clock, random } = components;
  return {
    kind: "deadLetter.put",
    letter: {
      id: random.uuid(),
      messageId,
      from: null,
      to: null,
      rawBytes: encodeCbor(row),
      reason: `${error.code}: ${error.message}`,
      category,
      traceId: `actor-${id}`,
      requestId: null,
      createdAt: clock.now(),
      redriveAttempts: 0,
      lastRedriveAt: null,
      context: JSON.stringify({ actor: kind.name, actor_id: id, key }),
    },
  };
}
