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
  /** Whether the sender has its answer already: a durable send is answered when it is on disk. */
  readonly answered: boolean;
}

/** Whether somebody waits for an answer to `message`. */
export function isAnswerable(message: InboundMessage): boolean {
  return message.envelope.direction === directions.request && !message.answered;
}
