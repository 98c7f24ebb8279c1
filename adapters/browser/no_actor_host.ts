import { ActrError } from "../../src/errors.ts";
import type { ActorHost as FullHost } from "../../src/host/actor_host.ts";
import type { withActorRoutes as fullRoutes } from "../../src/host/actor_service.ts";

/**
 * What the build puts into a page's file in the place of `src/host`, a third of all: a page hosts no actors, it calls those
 * of others.
 */
export class ActorHost
  implements
    Pick<FullHost, "names" | "shards" | "awakeByName" | "callerOf" | "join" | "start" | "close">
{
  readonly names: readonly string[] = [];
  readonly shards: undefined = undefined;

  awakeByName(): Map<string, number> {
    return new Map();
  }

  /** @throws ActrError `actor.not_registered`. */
  callerOf(): never {
    throw new ActrError("actor.not_registered", "a page hosts no actors; call those of a node");
  }

  async join(): Promise<void> {}

  start(): void {}

  async close(): Promise<void> {}
}

/** The routes as they are. */
export const withActorRoutes: typeof fullRoutes = ({ routes }) => routes;
