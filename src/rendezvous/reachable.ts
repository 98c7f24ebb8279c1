import type { ActrId as WireId } from "../protocol/schema.ts";
import type { Member } from "./discovery/directory.ts";
import type { Negotiator } from "./roles.ts";

/** A node in sight, connected here or to another server of the cluster. */
export interface Reachable extends Member, Negotiator {
  /** Its id as messages carry it. */
  readonly wireId: WireId;
  /** Sends an encoded envelope; false when the node, or the way to it, takes no more. */
  pass(envelope: Uint8Array): boolean;
  /** The node has come again, on another connection, which stands in the directory by now. */
  displaced(): void;
}
