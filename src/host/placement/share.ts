import type { ActorKey } from "../../actor.ts";
import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import type { Placement } from "./placement.ts";
import { shardedId, shardOf, shardOfTarget } from "./shards.ts";

/** A node's share of the actors: all of them, unless nodes share the store. */
export class Share {
  /** None where the node has its store alone. */
  readonly placement: Placement | undefined;

  constructor(placement: Placement | undefined) {
    this.placement = placement;
  }

  /** Whether an actor lives here, if it lives. */
  has(target: CallTarget): boolean {
    return this.placement?.holds(shardOfTarget(target)) ?? true;
  }

  /** @throws ActrError `actor.moved` for one that lives elsewhere. */
  requireHome(target: CallTarget): void {
    if (!this.has(target)) throw this.moved(target);
  }

  /** What who asks here for an actor that lives elsewhere is told. */
  moved(target: CallTarget): ActrError {
    const node = this.placement?.known.whereIs(shardOfTarget(target))?.node;
    const where = node === undefined ? "no node has taken it over yet" : `it lives on ${node}`;
    const details = node === undefined ? {} : { details: { node } };
    const message = `this actor does not live here: ${where}`;
    return new ActrError("actor.moved", message, { retryAfterMs: 100, ...details });
  }

  /** Why `node`, an ActrId as text, may not pass on what others ask; only those that share the store may. */
  refusalOf(node: string): ActrError | undefined {
    if (this.placement === undefined) {
      const message = `${node} passes on a call to actors that are shared with no other node`;
      return new ActrError("permission_denied", message);
    }
    if (this.placement.known.hasMember(node)) return undefined;
    // It may have joined a moment ago; whoever asks tries again.
    this.placement.look().catch(() => {});
    const message = `${node} is not known to share these actors`;
    return new ActrError("actor.moved", message, { retryAfterMs: 100 });
  }

  /** The id of a new actor out of one of its own: where nodes share the store, it says which of them has it. */
  idOf(name: string, key: ActorKey, own: string): string {
    return this.placement === undefined ? own : shardedId(shardOf(name, key), own);
  }
}
