import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Program, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";
import type {
  ProbeOrder,
  ProbeOutcome,
  StormOutcome,
  TakeOutcome,
} from "../fixtures/webrtc_probe.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

const missing = await whyMissing("wrtc");
const bounds = { timeout: 120_000, skip: missing ?? false };

interface Started {
  readonly program: Program;
  readonly id: string;
}

async function perform({ program }: Started, order: ProbeOrder): Promise<ProbeOutcome> {
  program.send(order);
  return await program.line<ProbeOutcome>(60_000);
}

describe(
  "nodes that WebRTC alone reaches, on every runtime, in processes of their own",
  bounds,
  () => {
    let rendezvous: Program;
    let identity: string;
    const nodes = new Map<RuntimeName, Started>();

    async function start(runtime: RuntimeName): Promise<Started> {
      const args = [`test:Probe-${runtime}:1.0.0`, identity];
      const program = new Program(runtime, fixture("webrtc_probe.ts"), args);
      return { program, id: await program.line<string>(60_000) };
    }

    const on = (runtime: RuntimeName): Started => nodes.get(runtime) as Started;

    before(async () => {
      rendezvous = new Program("node", fixture("rendezvous_program.ts"), []);
      ({ identity } = await rendezvous.line<{ identity: string }>(60_000));
      for (const runtime of runtimeNames) nodes.set(runtime, await start(runtime));
    });

    after(async () => {
      for (const { program } of nodes.values()) await program.kill("SIGTERM");
      await rendezvous?.kill("SIGTERM");
    });

    for (const caller of runtimeNames) {
      for (const callee of runtimeNames.filter((each) => each !== caller)) {
        it(`[N-7] ${caller} calls ${callee}: 0 B, 64 KB, 1 MB, then 64 at once`, async () => {
          const { id: target } = on(callee);
          for (const [bytes, atOnce] of [
            [0, 1],
            [65_536, 1],
            [1_048_576, 1],
            [1_000, 64],
          ] as const) {
            const order = { target, bytes, atOnce, timeoutMs: 20_000 };
            const outcome = await perform(on(caller), order);
            assert.deepEqual([outcome.error, outcome.equal, outcome.pending], [undefined, true, 0]);
          }
        });
      }
    }

    for (const caller of runtimeNames) {
      for (const callee of runtimeNames.filter((each) => each !== caller)) {
        it(`${caller} calls ${callee} while ICE restarts: nothing is lost, nothing done twice`, async () => {
          const [from, to] = [on(caller), on(callee)];
          const stream = `storm-${caller}-${callee}`;
          const first = { target: to.id, bytes: 1, atOnce: 1, timeoutMs: 20_000 };
          assert.equal((await perform(from, first)).equal, true);
          to.program.send({ take: stream, from: from.id });
          const before = await to.program.line<number>(60_000);
          from.program.send({ storm: to.id, stream, restarts: 1 });
          const sent = await from.program.line<StormOutcome>(60_000);
          const taken = await to.program.line<TakeOutcome>(60_000);
          assert.deepEqual(sent.failed, []);
          assert.ok(sent.calls > 16 && sent.chunks > 0);
          assert.ok(sent.restarts > 0, "no restart");
          assert.equal(sent.pending, 0);
          assert.deepEqual([taken.chunks, taken.inOrder], [sent.chunks, true]);
          assert.equal(taken.handled - before, sent.calls);
        });
      }
    }

    it("has one connection for each pair of nodes, whoever called first", async () => {
      for (const runtime of runtimeNames) {
        const { id: target } = on(runtime === "node" ? "deno" : "node");
        const order = { target, bytes: 1, atOnce: 1, timeoutMs: 5_000 };
        assert.equal((await perform(on(runtime), order)).connections, 2);
      }
    });

    it("is told in time that a peer was killed, keeps no call, and reaches who comes in its place", async () => {
      const killed = await start("node");
      const caller = on("node");
      const order = { target: killed.id, bytes: 10, atOnce: 1, timeoutMs: 1_500 };
      assert.equal((await perform(caller, order)).equal, true);
      await killed.program.kill("SIGKILL");
      const outcome = await perform(caller, { ...order, atOnce: 8 });
      assert.ok(["timed_out", "unavailable", "connection_not_ready"].includes(outcome.error ?? ""));
      assert.ok(outcome.tookMs < 3_000, `${outcome.tookMs} ms`);
      assert.equal(outcome.pending, 0);
      const next = await start("node");
      assert.equal((await perform(caller, { ...order, target: next.id })).equal, true);
      await next.program.kill("SIGTERM");
    });
  },
);
