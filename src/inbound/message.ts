import type { Clock } from "../ports/clock.ts";
import type { LogAttributes } from "../ports/logger.ts";
import type { MailboxRow, Priority } from "../ports/store.ts";
import type { Link } from "../ports/transport.ts";
import { directions, type RpcEnvelope } from "../protocol/envelope.ts";
import type { Peer } from "../session/peer.ts";

/** One request or tell of a peer on its way through the node. */
export interface InboundMessage {
  readonly envelope: RpcEnvelope;
  readonly from: Peer;
  /** The link it came by; none after a restart. */
  readonly link: Link | undefined;
  readonly priority: Priority;
  /** Bytes that it holds. */
  readonly size: number;
  /** Monotonic milliseconds of its arrival. */
  readonly arrivedAt: number;
  /** Its row in the store, when it is durable. */
  readonly row: MailboxRow | undefined;
  /** Whether no handler's answer is waited for: a durable send is answered when it is on disk. */
  readonly answered: boolean;
  /** Of the mailbox: where the message is while its row is not known to be on disk. */
  unwritten?: "queued" | "aside" | "claimed" | "withdrawn" | undefined;
}

/** What names `message` in the log; only a durable one has a `message_id`. */
export function messageFields({ envelope, from, row }: InboundMessage): LogAttributes {
  const { requestId, routeKey } = envelope;
  const fields = { request_id: requestId, route_key: routeKey, caller: from.key };
  return row === undefined ? fields : { ...fields, message_id: row.id };
}

/** How long `message` has waited since it was accepted, perhaps by an earlier process. Milliseconds. */
export function queueWaitMs({ row, arrivedAt }: InboundMessage, clock: Clock): number {
  return row === undefined
    ? clock.monotonic() - arrivedAt
    : Math.max(0, clock.now() - row.enqueuedAt);
}

/** Whether somebody waits for an answer to `message`. */
export function isAnswerable({
  envelope,
  answered,
}: Pick<InboundMessage, "envelope" | "answered">): boolean {
  return envelope.direction === directions.request && !answered;
}
