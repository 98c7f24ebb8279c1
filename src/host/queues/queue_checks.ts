import { ActrError } from "../../errors.ts";
import type { ActorOptions } from "../../host_options.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import type { QueueLane } from "./queue_lane.ts";

/** @throws ActrError `queue.full`, to be tried again. */
export function requireRoom(size: number, { maxQueueSize }: ActorOptions): void {
  if (size < maxQueueSize) return;
  const message = `the queues hold ${size} messages; send again later`;
  throw new ActrError("queue.full", message, { retryAfterMs: 1000 });
}

/** The body of a message as it is stored. @throws ActrError `queue.message_too_large`, `actor.unsupported_value`. */
export function encodeBody(body: unknown, { maxQueueMessageBytes }: ActorOptions): Uint8Array {
  const encoded = encodeCbor(body);
  if (encoded.length <= maxQueueMessageBytes) return encoded;
  const message = `the message has ${encoded.length} bytes; ${maxQueueMessageBytes} are allowed`;
  throw new ActrError("queue.message_too_large", message);
}

/** @throws RangeError for a delay that is none. */
export function requireDelay(ms: number): void {
  if (Number.isFinite(ms) && ms >= 0) return;
  throw new RangeError(`delayMs is ${ms}; it must be finite and at least 0`);
}

/** @throws RangeError for a number of messages that is none. */
export function requireCount(count: number): void {
  if (!(count >= 1)) throw new RangeError(`count is ${count}; it must be at least 1`);
}

/** @throws ActrError `queue.previous_message_not_completed` when none of these queues hands out any more. */
export function requireOneOpen(lanes: readonly QueueLane[]): void {
  if (!lanes.every((lane) => lane.isFull)) return;
  const names = lanes.map(({ name }) => name).join(", ");
  const message = `messages of ${names} were received and not completed; complete them first`;
  throw new ActrError("queue.previous_message_not_completed", message);
}
