import type { ActrId as WireId } from "../protocol/schema.ts";
import type { Member } from "./directory.ts";
import type { Flow, MessageHead } from "./messages.ts";
import type { Negotiator } from "./roles.ts";

/** A node in sight, connected here or to another server of the cluster. */
export interface Reachable extends Member, Negotiator {
  /** Its id as messages carry it. */
  readonly wireId: WireId;
  /** Sends one envelope; false when the node, or the way to it, takes no more. */
  send(flow: Flow, head?: MessageHead): boolean;
  /** Lets `key` answer this node, whatever this node's own rules say. */
  invite(key: string): void;
  hasInvited(key: string): boolean;
  /** The node has come again, on another connection, which stands in the directory by now. */
  displaced(): void;
}
