import type { NodeContext } from "../../context.ts";

/** In whose name, and how long, one entry of a guest asks the node for something. */
export interface GuestScope {
  /** Of the request that is handled: its trace, its call chain and who waits for whom go along. Elsewhere the node's own. */
  readonly context: NodeContext;
  /** Monotonic milliseconds at which nobody waits for the entry any more. */
  readonly deadline?: number;
}
