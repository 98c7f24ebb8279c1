import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, defineNode, type NodeDefinition } from "@roost/edge";
import {
  MemoryStore,
  TestNode,
  type TestPeerOptions,
  TestWorld,
  testNode,
} from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import type { NodeComponents } from "../../../src/node/node_components.ts";
import type { Transport } from "../../../src/ports/transport.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { echoNode, gate, recordingHooks } from "./support.ts";

const limit = { timeout: 60_000 };

describe("start", () => {
  it("[N-1] brings a node up that runs; stopping it completes", limit, async () => {
    await using t = await testNode(echoNode());
    const { node } = t;
    assert.equal(node.phase, "running");
    await node.stop();
    assert.equal(node.phase, "stopped");
  });

  it(
    "[N-3] fails, and does not hang, when the identity service cannot be reached",
    limit,
    async () => {
      await using world = await TestWorld.open();
      await world.stopRendezvous();
      await assert.rejects(world.clock.through(TestNode.start(world, echoNode())), (error) => {
        assert.ok(ActrError.is(error));
        assert.equal(error.code, "registration");
        return true;
      });
    },
  );

  it("[N-11] presents the realm's secret when it registers", limit, async () => {
    const rendezvous = { realms: [{ id: 7, secret: "open sesame" }] };
    await using t = await testNode(echoNode(), {
      rendezvous,
      realm: 7,
      realmSecret: "open sesame",
    });
    assert.equal(t.id.realm, 7);
    for (const realmSecret of ["wrong", ""]) {
      const peer = t.peer(defineNode({}), { realmSecret });
      await assert.rejects(peer, { code: "registration" });
    }
  });

  it("[N-13] works with observers besides the node's own hooks", limit, async () => {
    const told: string[] = [];
    const own = echoNode();
    const services = own.services?.map((each) => ({ ...each, hooks: recordingHooks(told) })) ?? [];
    const t = await testNode({ ...own, services, hooks: recordingHooks(told) });
    assert.equal((await t.service(EchoService).echo({ message: "x" })).reply, "Echo: x");
    await t[Symbol.asyncDispose]();
    for (const hook of ["onStart", "onReady", "onStop"])
      assert.equal(told.filter((each) => each === hook).length, 2, hook);
  });

  it("starts with access rules", limit, async () => {
    const acl = [{ permission: "allow", type: "local:Client:0.0.0", realm: "*" }] as const;
    await using t = await testNode(echoNode(undefined, { acl }));
    assert.equal((await t.service(EchoService).echo({ message: "x" })).reply, "Echo: x");
  });

  it(
    "[ND-30] [ND-35] lets onStart and onReady call peers while requests are held until both are done",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const peer = await TestNode.start(world, echoNode());
      const events: string[] = [];
      const ready = gate();
      const calling = async (
        context: Parameters<NonNullable<NonNullable<NodeDefinition["hooks"]>["onStart"]>>[0],
        text: string,
      ) => {
        const [found] = await context.discover("acme:EchoService:1.0.0");
        if (found === undefined) throw new Error("nobody found");
        const { reply } = await context.service(EchoService, found).echo({ message: text });
        events.push(reply);
        return context.selfId;
      };
      const definition = echoNode(
        (text) => {
          events.push(`handled ${text}`);
          return text;
        },
        {
          type: "acme:Late:1.0.0",
          hooks: {
            async onStart(context) {
              const self = await calling(context, "start");
              // The request is on its way while the node still starts.
              void peer.context
                .service(EchoService, self)
                .echo({ message: "early" })
                .then(
                  ({ reply }) => void events.push(`answered ${reply}`),
                  () => void events.push("failed"),
                );
            },
            async onReady(context) {
              await calling(context, "ready");
              await ready.promise;
              events.push("ready");
            },
          },
        },
      );
      const starting = TestNode.start(world, definition);
      await settledUntil(world.clock, "both hooks have called", () => events.length >= 2);
      await world.clock.settle();
      assert.deepEqual(events, ["Echo: start", "Echo: ready"]);
      ready.open();
      await starting;
      await settledUntil(world.clock, "the early call is answered", () => events.length >= 5);
      assert.deepEqual(events, [
        "Echo: start",
        "Echo: ready",
        "ready",
        "handled early",
        "answered early",
      ]);
    },
  );

  it(
    "goes on when onReady fails or takes too long, since only onStart can stop a start",
    limit,
    async () => {
      await using failing = await testNode(
        echoNode(undefined, {
          hooks: {
            onReady() {
              throw new Error("not that important");
            },
          },
        }),
      );
      assert.equal(failing.node.phase, "running");
      await using world = await TestWorld.open();
      let asked = 0;
      const hanging = echoNode(undefined, {
        hooks: {
          onReady() {
            asked = world.clock.now();
            return new Promise(() => {});
          },
        },
      });
      const t = await world.clock.through(TestNode.start(world, hanging));
      assert.equal(t.node.phase, "running");
      assert.equal(world.clock.now() - asked, 30_000);
    },
  );

  it("rejects a definition that cannot be served, naming what is wrong", limit, async () => {
    await using world = await TestWorld.open();
    const twice = echoNode();
    const services = [...(twice.services ?? []), ...(twice.services ?? [])];
    const wrong: [NodeDefinition, RegExp][] = [
      [echoNode(undefined, { type: "nonsense" }), /nonsense/],
      [echoNode(undefined, { acl: [{ permission: "allow", type: "x" }] }), /rule 0/],
      [{ ...twice, services }, /served twice/],
      [echoNode(undefined, { options: { mailbox: { maxDepth: 0 } } }), /mailbox\.maxDepth is 0/],
    ];
    for (const [definition, message] of wrong)
      await assert.rejects(TestNode.start(world, definition), { code: "config", message });
  });
});

describe("start that fails", () => {
  const stages: Record<
    string,
    { definition?: NodeDefinition; options?: (world: TestWorld) => TestPeerOptions; code?: string }
  > = {
    "the store cannot be read": { options: () => ({ store: unreadable() }), code: "storage" },
    "signaling refuses": {
      options: (world) => ({ components: { sockets: refusing(world) } }),
      code: "timed_out",
    },
    "a transport cannot listen": {
      options: () => ({ components: { transports: () => [deaf()] } }),
      code: "config",
    },
    "onStart throws": {
      definition: echoNode(undefined, {
        hooks: {
          onStart() {
            throw new ActrError("not_found", "no such table");
          },
        },
      }),
      code: "not_found",
    },
    "onStart crashes": {
      definition: echoNode(undefined, {
        hooks: {
          onStart() {
            throw new Error("startup panic");
          },
        },
      }),
      code: "internal",
    },
    "onStart hangs": {
      definition: echoNode(undefined, { hooks: { onStart: () => new Promise(() => {}) } }),
      code: "timed_out",
    },
  };

  for (const [stage, { definition = echoNode(), options = () => ({}), code }] of Object.entries(
    stages,
  )) {
    it(
      `[ND-33] because ${stage}: undoes what it did and leaves nothing behind`,
      limit,
      async () => {
        await using world = await TestWorld.open();
        const healthy = await TestNode.start(
          world,
          echoNode(undefined, { type: "acme:Other:1.0.0" }),
        );
        await world.clock.settle();
        const before = left(world);
        const failing = TestNode.start(world, definition, options(world));
        await assert.rejects(world.clock.through(failing), code === undefined ? Error : { code });
        await world.clock.settle();
        assert.deepEqual(left(world), before);
        await assert.rejects(healthy.context.discover("acme:EchoService:1.0.0"), {
          code: "not_found",
        });
        const again = await TestNode.start(world, echoNode());
        assert.equal((await again.service(EchoService).echo({ message: "x" })).reply, "Echo: x");
      },
    );
  }

  it("[ND-33] because its signal is aborted: rejects with the reason", limit, async () => {
    await using world = await TestWorld.open();
    // The world's own server counts who has registered.
    await TestNode.start(world, echoNode());
    await world.clock.settle();
    const before = left(world);
    const abort = new AbortController();
    const definition = echoNode(undefined, {
      hooks: { onStart: () => abort.abort(new Error("changed my mind")) },
    });
    await assert.rejects(
      TestNode.start(world, definition, { signal: abort.signal }),
      /changed my mind/,
    );
    await world.clock.settle();
    assert.deepEqual(left(world), before);
  });
});

/** What a node may leave behind in its world. */
function left({ clock, network, hub }: TestWorld): Record<string, number> {
  return { timers: clock.pending, sockets: network.openSockets, links: hub.openSockets };
}

function unreadable(): MemoryStore {
  const store = new MemoryStore();
  store.mailboxCounts = async () => {
    throw new ActrError("storage", "disk broken");
  };
  return store;
}

/** Sockets of which none opens. */
function refusing(world: TestWorld): NodeComponents["sockets"] {
  const { name, capabilities } = world.network.sockets();
  return {
    name,
    capabilities,
    connect: async () => {
      throw new ActrError("unavailable", "refused");
    },
  };
}

function deaf(): Transport {
  return {
    name: "deaf",
    capabilities: { lanes: [0, 1], maxBodyBytes: 1, listens: true, bidirectional: false },
    canDial: () => false,
    dial: async () => {
      throw new ActrError("unavailable", "deaf");
    },
    listen: async () => {
      throw new ActrError("config", "port taken");
    },
  };
}
