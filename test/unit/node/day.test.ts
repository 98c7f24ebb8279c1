import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ActrId, defineNode, type Hooks, type NetworkEvent } from "@roost/edge";
import { TestNode, TestWorld } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import {
  available,
  background,
  cleanup,
  force,
  foreground,
  unavailable,
} from "./network_support.ts";
import { echoNode } from "./support.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** Steps of a day; each begins with a disturbance. */
const steps = 48;
const stepMs = 30 * minute;
/** The step at which the rendezvous forgets who they are. */
const amnesia = 41;
const types = ["acme:Caller:1.0.0", "acme:First:1.0.0", "acme:Second:1.0.0"] as const;

/** What a node lived through. */
interface Diary {
  renewed: number;
  rebound: number;
  /** How often signaling doubted the credential: not once if it is always renewed in time. */
  doubted: number;
  connected: number;
  /** Longest time without a new credential, milliseconds. */
  longestMs: number;
}

function keepDiary(world: TestWorld): { readonly diary: Diary; readonly hooks: Hooks } {
  const diary: Diary = { renewed: 0, rebound: 0, doubted: 0, connected: 0, longestMs: 0 };
  let last = world.clock.now();
  const hooks: Hooks = {
    onCredentialRenewed(_, { previousId }) {
      const now = world.clock.now();
      diary.renewed += 1;
      if (previousId !== undefined) diary.rebound += 1;
      diary.longestMs = Math.max(diary.longestMs, now - last);
      last = now;
    },
    onCredentialExpiring: () => void diary.doubted++,
    onSignalingConnected: () => void diary.connected++,
  };
  return { diary, hooks };
}

/** Three nodes that reach each other over WebSocket. */
async function startNodes(world: TestWorld) {
  // Cleaning up every 15 s would be most of what happens in a day.
  const options = { inbound: { cleanUpMs: hour } };
  const diaries: Diary[] = [];
  const nodes: TestNode[] = [];
  for (const type of types) {
    const { diary, hooks } = keepDiary(world);
    const app = type === types[0] ? defineNode({ type, hooks, options }) : undefined;
    const served = app ?? echoNode(undefined, { type, hooks, options });
    nodes.push(await TestNode.start(world, served, { transport: "websocket" }));
    diaries.push(diary);
  }
  return { nodes, diaries };
}

async function tell(node: TestNode, ...events: readonly NetworkEvent[]): Promise<void> {
  for (const event of events) void node.node.network.report(event);
  await node.clock.pass(5 * second);
}

async function outage(world: TestWorld, ms: number): Promise<void> {
  await world.stopRendezvous();
  await world.clock.pass(ms);
  await world.startRendezvous();
}

/** What happens at the start of a step, to one node or to all, each in its turn. */
const disturbances: readonly ((world: TestWorld, node: TestNode) => unknown)[] = [
  (world) => outage(world, 2 * minute),
  async (world, node) => {
    await tell(node, unavailable(1));
    await world.clock.pass(7 * minute);
    await tell(node, available(2));
  },
  (_, node) => tell(node, background, foreground(3)),
  (world) => world.network.dropAll(),
  (_, node) => tell(node, foreground(600), available(1)),
  async (world) => {
    world.network.faults.blackhole = true;
    await world.clock.pass(90 * second);
    world.network.faults.blackhole = false;
  },
  (_, node) => tell(node, force),
  async (world, node) => {
    await tell(node, cleanup);
    await world.clock.pass(minute);
    await tell(node, force);
  },
  // Shorter than the time by which a credential is renewed ahead: nothing may expire.
  (world) => outage(world, 15 * minute),
];

/** Everything is well: connected, with a standing, found, and reached. */
async function assertWell(nodes: readonly TestNode[], step: number): Promise<void> {
  for (const each of nodes) {
    const at = `${each.host} after step ${step}`;
    const { session, signaling } = each.node.presence;
    assert.equal(each.node.phase, "running", at);
    assert.equal(session.phase, "active", at);
    assert.equal(signaling.connected, true, at);
    assert.ok(session.current.credentialExpiresAtMs > each.clock.now(), at);
  }
  const [caller] = nodes;
  assert.ok(caller !== undefined);
  for (const type of types.slice(1)) assert.equal(await echoOf(caller, type), "Echo: well");
}

/** What a node of this type answers. */
async function echoOf(caller: TestNode, type: string): Promise<string> {
  const echo = caller.context.service(EchoService, await find(caller, type));
  const { reply } = await caller.clock.through(echo.echo({ message: "well" }));
  return reply;
}

async function find(node: TestNode, type: string): Promise<ActrId> {
  const [found] = await node.clock.through(node.context.discover(type));
  assert.ok(found !== undefined);
  return found;
}

const nothing = { timers: 0, sockets: 0 };

/** What the world holds, or `before` where that was more. */
function most({ clock, network }: TestWorld, before = nothing): typeof nothing {
  return {
    timers: Math.max(clock.pending, before.timers),
    sockets: Math.max(network.openSockets, before.sockets),
  };
}

describe("24 hours of three nodes", () => {
  it("renew in time, come back from everything, and leave nothing", {
    timeout: 200_000,
  }, async () => {
    const world = await TestWorld.open();
    const { clock } = world;
    const { nodes, diaries } = await startNodes(world);
    const start = clock.now();
    const held = [nothing, nothing];
    for (let step = 0; step < steps; step += 1) {
      const node = nodes[step % nodes.length];
      assert.ok(node !== undefined);
      await disturbances[step % disturbances.length]?.(world, node);
      if (step === amnesia) {
        await world.stopRendezvous({ forget: true });
        await world.startRendezvous();
      }
      await clock.pass(start + (step + 1) * stepMs - clock.now());
      await assertWell(nodes, step);
      const half = step < steps / 2 ? 0 : 1;
      held[half] = most(world, held[half]);
    }
    assert.ok(clock.now() - start >= 24 * hour);
    for (const { renewed, rebound, doubted, longestMs } of diaries) {
      assert.ok(renewed >= 24, `renewed ${renewed} times`);
      assert.ok(longestMs < hour, `${longestMs} ms with one credential`);
      assert.equal(rebound, 1, "once, when the rendezvous had forgotten");
      assert.ok(doubted >= 1, "until the new identity was there");
    }
    const [morning = nothing, evening = nothing] = held;
    // One more for each node may be under way; what leaks does so at every step.
    const slack = nodes.length;
    assert.ok(evening.timers <= morning.timers + slack, `${evening.timers}, ${morning.timers}`);
    assert.ok(evening.sockets <= morning.sockets + slack, `${evening.sockets}, ${morning.sockets}`);
    for (const each of nodes) {
      const { outbound, inbound } = each.node;
      await each.stop();
      assert.deepEqual([outbound.sessions.size, outbound.pending.size], [0, 0]);
      assert.equal(inbound.mailbox.status().inFlight, 0);
    }
    await world[Symbol.asyncDispose]();
    assert.deepEqual(most(world), nothing);
  });
});
