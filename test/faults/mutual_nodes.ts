import { silentLogger } from "../../adapters/console/console_logger.ts";
import type { Served } from "../../adapters/serve/options.ts";
import type { Context } from "../../src/context.ts";
import { defineNode, type NodeDefinition, service } from "../../src/define.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import type { Reply } from "../../src/reply.ts";
import { type Done, KeyService, type Visit } from "../fixtures/keys_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";

/** Two nodes whose handlers call each other. */
export interface MutualNodes extends AsyncDisposable {
  readonly nodes: readonly [Served, Served];
}

/** A room whose `leave` calls the other node's `leave` of the same room: two such calls cross. */
export const crossing = "cross ";

/** Remembered answers are forgotten soon, so that memory can be seen to be flat within a minute. */
const options = { inbound: { dedupTtlMs: 2_000 } };

/**
 * Serves two nodes over WebSocket. `enter` (by room) asks the other node's `speak` (by room, too, explicit), which asks
 * back for `leave` of the very room that waits (re-entrant), and replies once its handler has ended. `close` runs alone.
 */
export async function mutualNodes(): Promise<MutualNodes> {
  const { serve } = await adapter();
  const quiet = { port: 0, hostname: "127.0.0.1", log: silentLogger() } as const;
  const ids = new Map<0 | 1, ActrId>();
  const other = (index: 0 | 1) => (): ActrId => ids.get(index === 0 ? 1 : 0) as ActrId;
  const first = await serve(mutualNode(other(0)), quiet);
  const second = await serve(mutualNode(other(1)), { ...quiet, identity: first.identity });
  ids.set(0, first.id).set(1, second.id);
  return {
    nodes: [first, second],
    async [Symbol.asyncDispose]() {
      await second.stop();
      await first.stop();
    },
  };
}

function mutualNode(other: () => ActrId): NodeDefinition {
  const rooms = service(KeyService, {
    handlers: {
      async enter({ room, name }, context) {
        const spoken = await context.service(KeyService, other()).speak({ room, name });
        return { name: `entered ${spoken.name}` };
      },
      async leave({ room, name }, context) {
        if (!name.startsWith(crossing)) return { name: `left ${name}` };
        const inner = name.slice(crossing.length);
        return await context.service(KeyService, other()).leave({ room, name: inner });
      },
      speak: { explicit: askBack },
      close: ({ name }) => ({ name: `closed ${name}` }),
    },
    methods: {
      enter: { conflictKey: { field: "room", domain: "rooms" } },
      leave: { conflictKey: { field: "room", domain: "rooms" }, reentrant: true },
      speak: { conflictKey: { field: "room", domain: "speech" } },
    },
  });
  return defineNode({ type: "test:Mutual:1.0.0", services: [rooms], options });
}

/** Asks the caller back, then lets the handler end before it replies. */
async function askBack(
  { room, name }: Visit,
  context: Context,
  reply: Reply<Pick<Done, "name">>,
): Promise<void> {
  const left = await context.service(KeyService, context.callerId).leave({ room, name });
  queueMicrotask(() => setTimeout(() => reply.send({ name: `spoken ${left.name}` }), 0));
}
