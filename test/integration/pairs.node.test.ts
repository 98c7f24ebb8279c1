import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { connect, serve } from "../../adapters/node/mod.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { defineNode } from "../../src/define.ts";
import { formatActrId, parseActrType } from "../../src/protocol/ids.ts";
import type { Candidate } from "../../src/signaling/answers.ts";
import type { Command, Outcome } from "../fixtures/probe_commands.ts";
import { Program, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** How late an error may be noticed: the machine is shared with other suites. */
const allowanceMs = 1_500;
/** What a call fails with when nobody is there to answer it; `stopping` while somebody leaves. */
const absent = ["unavailable", "stopping"];

const typeOf = (runtime: RuntimeName): string => `test:Probe-${runtime}:1.0.0`;

interface Callee {
  readonly program: Program;
  readonly id: string;
  readonly url: string;
}

async function startCallee(runtime: RuntimeName, type: string, identity: string): Promise<Callee> {
  const program = new Program(runtime, fixture("probe_node.ts"), [type, identity]);
  return { program, ...(await program.line<{ id: string; url: string }>(60_000)) };
}

async function startCaller(runtime: RuntimeName, identity: string): Promise<Program> {
  const program = new Program(runtime, fixture("probe_caller.ts"), [identity]);
  assert.equal(await program.line(60_000), "ready");
  return program;
}

async function perform(caller: Program, command: Command): Promise<Outcome> {
  caller.send(command);
  return await caller.line<Outcome>(60_000);
}

function assertDone(outcome: Outcome, value?: unknown): void {
  assert.equal(outcome.error, undefined);
  assert.equal(outcome.value, value);
  assert.equal(outcome.pending, 0);
}

/** It failed with one of `codes`, in time, and nothing waits any more. */
function assertFailed(outcome: Outcome, codes: readonly string[], withinMs: number): void {
  const { error, tookMs, pending } = outcome;
  assert.ok(error !== undefined && codes.includes(error.code), JSON.stringify(outcome));
  assert.ok(tookMs <= withinMs + allowanceMs, `${error.code} came after ${tookMs} ms`);
  assert.equal(pending, 0);
}

describe("callers and callees on every runtime, in processes of their own", () => {
  let rendezvous: Program;
  let identity: string;
  let observer: Served;
  const callees = new Map<RuntimeName, Callee>();
  const callers = new Map<RuntimeName, Program>();

  const calleeOn = (runtime: RuntimeName): Callee => callees.get(runtime) as Callee;
  const callerOn = (runtime: RuntimeName): Program => callers.get(runtime) as Program;

  before(async () => {
    rendezvous = new Program("node", fixture("rendezvous_program.ts"), []);
    ({ identity } = await rendezvous.line<{ identity: string }>(60_000));
    observer = await serve(defineNode({ type: "test:Caller:1.0.0" }), {
      port: 0,
      hostname: "127.0.0.1",
      identity,
      log: silentLogger(),
    });
    for (const runtime of runtimeNames) {
      const [callee, caller] = await Promise.all([
        startCallee(runtime, typeOf(runtime), identity),
        startCaller(runtime, identity),
      ]);
      callees.set(runtime, callee);
      callers.set(runtime, caller);
    }
  });

  after(async () => {
    await observer?.stop();
    const called = [...callees.values()].map(({ program }) => program);
    await Promise.all([...called, ...callers.values(), rendezvous].map((one) => one?.kill()));
  });

  for (const callee of runtimeNames) {
    for (const caller of runtimeNames) {
      describe(`${caller} calls ${callee}`, () => {
        pair(
          () => callerOn(caller),
          () => calleeOn(callee),
          typeOf(callee),
        );
      });
    }
  }

  for (const callee of runtimeNames) {
    describe(`${callee} stops while it is called from every runtime`, () => {
      stops(
        () => [...callers.values()],
        (type) => startCallee(callee, type, identity),
      );
    });
  }

  it("[N-2] [T-13] nodes are found with the address of their port, a peer without a port with none", async () => {
    const ask = async (type: string): Promise<Candidate | undefined> => {
      const { signaling } = observer.node.presence;
      const signal = AbortSignal.timeout(5_000);
      return (await signaling.routeCandidates(parseActrType(type), 1, { signal }))[0];
    };
    for (const runtime of runtimeNames) {
      const { id, url } = calleeOn(runtime);
      const found = await ask(typeOf(runtime));
      assert.ok(found !== undefined);
      assert.equal(formatActrId(found.id), id);
      assert.equal(found.wsAddress, `ws://127.0.0.1:${new URL(url).port}/ws`);
    }
    await using peer = await connect(identity, { type: "test:Portless:1.0.0" });
    assert.deepEqual(await ask("test:Portless:1.0.0"), { id: peer.id });
  });
});

function pair(caller: () => Program, callee: () => Callee, type: string): void {
  it("[N-7] [T-12] finds it and gets equal bytes back: 0 B, 64 KB, 1 MB (over WebSocket)", async () => {
    const target = callee().id;
    assertDone(await perform(caller(), { do: "find", as: "caller", type }), target);
    for (const bytes of [0, 65_536, 1_048_576]) {
      const echo = { do: "echo", target, bytes, times: 3, atOnce: 1 } as const;
      assertDone(await perform(caller(), echo));
    }
  });

  it("calls by type, without being a node", async () => {
    const text = "grüße";
    assertDone(await perform(caller(), { do: "echoByType", type, text }), text);
  });

  it("calls 1,000 times in a row, then 64 at once", async () => {
    const target = callee().id;
    const inARow = { do: "echo", target, bytes: 64, times: 1_000, atOnce: 1 } as const;
    assertDone(await perform(caller(), inARow));
    for (const bytes of [64, 65_536]) {
      const atOnce = { do: "echo", target, bytes, times: 256, atOnce: 64 } as const;
      assertDone(await perform(caller(), atOnce));
    }
  });

  it("[N-8] [T-12] is told at once of an unknown route", async () => {
    const { id: target } = callee();
    const route = "probe.ProbeService.Nothing";
    const call = { do: "callRoute", target, route, timeoutMs: 10_000 } as const;
    const outcome = await perform(caller(), call);
    assertFailed(outcome, ["unknown_route"], 0);
    assert.match(outcome.error?.message ?? "", /probe\.ProbeService\.Nothing/);
  });

  it("is neither told of nor let in by a node whose rules do not admit it", async () => {
    const { id: target, url } = callee();
    const hidden = await perform(caller(), { do: "find", as: "stranger", type });
    assertFailed(hidden, ["not_found"], 0);
    const address = `${url.replace("http:", "ws:")}/ws`;
    assertDone(await perform(caller(), { do: "intrude", target, url: address }));
    const call = { do: "wait", as: "stranger", target, ms: 0, timeoutMs: 10_000 } as const;
    assertFailed(await perform(caller(), call), ["permission_denied"], 0);
  });

  it("is told when the deadline passes, not later", async () => {
    const { id: target } = callee();
    const call = { do: "wait", as: "caller", target, ms: 600, timeoutMs: 250 } as const;
    const outcome = await perform(caller(), call);
    assertFailed(outcome, ["timed_out"], 250);
    assert.ok(outcome.tookMs >= 249, `${outcome.tookMs} ms`);
    // The late answer disturbs nobody.
    assertDone(await perform(caller(), { do: "echo", target, bytes: 64, times: 20, atOnce: 4 }));
  });

  it("[T-9] is told within 3 s of a target that does not exist", async () => {
    const target = callee().id.replace(/^[^@]+/, "12345");
    const call = { do: "wait", as: "caller", target, ms: 0, timeoutMs: 500 } as const;
    assertFailed(await perform(caller(), call), absent, 500);
  });
}

function stops(callers: () => readonly Program[], start: (type: string) => Promise<Callee>): void {
  const waiting = (victim: Callee, ms: number, timeoutMs: number): Promise<Outcome>[] =>
    callers().map((caller) =>
      perform(caller, { do: "wait", as: "caller", target: victim.id, ms, timeoutMs }),
    );

  /** Resolves when the victim holds a call of every caller. */
  const arrived = async ({ program }: Callee): Promise<void> => {
    for (let held = 0; held < callers().length; ) {
      program.send("how many?");
      ({ held } = await program.line<{ held: number }>());
    }
  };

  const assertGone = async (victim: Callee): Promise<void> => {
    for (const outcome of await Promise.all(waiting(victim, 0, 1_000))) {
      assertFailed(outcome, absent, 1_000);
    }
  };

  it("answers what it had accepted when it is told to stop in time", async () => {
    const victim = await start("test:Leaving:1.0.0");
    const calls = waiting(victim, 300, 10_000);
    await arrived(victim);
    const gone = victim.program.kill("SIGTERM");
    for (const outcome of await Promise.all(calls)) assertDone(outcome, "answered");
    await gone;
    assert.equal(victim.program.process.exitCode, 0);
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`[N-14] [T-12] ${signal}: every caller is told before its deadline, then and afterwards (over WebSocket)`, async () => {
      const victim = await start(`test:${signal}:1.0.0`);
      const calls = waiting(victim, 600_000, 5_000);
      await arrived(victim);
      await victim.program.kill(signal);
      for (const outcome of await Promise.all(calls)) {
        assertFailed(outcome, absent, 5_000);
      }
      await assertGone(victim);
    });
  }
}
