import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { connect, serve } from "../../adapters/node/mod.ts";
import type { Served } from "../../adapters/serve/options.ts";
import { defineNode } from "../../src/define.ts";
import { formatActrId, parseActrType } from "../../src/protocol/ids.ts";
import type { Candidate } from "../../src/signaling/answers.ts";
import type { Command, Outcome } from "../fixtures/probe_commands.ts";
import { Questions } from "../fixtures/questions.ts";
import { fixture, Program, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";

/** Longest start on a busy machine, milliseconds. */
const startMs = 120_000;
/** How late an error may be noticed: the machine is shared with other suites. */
const allowanceMs = 2_500;
/** What a call fails with when nobody is there to answer it; `stopping` while somebody leaves. */
const absent = ["unavailable", "stopping"];

const typeOf = (runtime: RuntimeName): string => `test:Probe-${runtime}:1.0.0`;

interface Callee {
  readonly program: Program;
  readonly id: string;
  readonly url: string;
}

interface Caller {
  readonly program: Program;
  readonly questions: Questions<Command, Outcome>;
}

async function startCallee(runtime: RuntimeName, type: string, identity: string): Promise<Callee> {
  const program = new Program(runtime, fixture("probe_node.ts"), [type, identity]);
  return { program, ...(await program.line<{ id: string; url: string }>(startMs)) };
}

async function startCaller(runtime: RuntimeName, identity: string): Promise<Caller> {
  const program = new Program(runtime, fixture("probe_caller.ts"), [identity]);
  assert.equal(await program.line(startMs), "ready");
  return { program, questions: new Questions(program) };
}

function perform(caller: Caller, command: Command): Promise<Outcome> {
  return caller.questions.ask(command);
}

/** The only command of its time succeeded, and nothing waits any more. */
function assertDone(outcome: Outcome, value?: unknown): void {
  assert.equal(outcome.error, undefined);
  assert.equal(outcome.value, value);
  assert.equal(outcome.pending, 0);
}

/** It failed with one of `codes`, in time. */
function assertEnded(outcome: Outcome, codes: readonly string[], withinMs: number): void {
  const { error, tookMs } = outcome;
  assert.ok(error !== undefined && codes.includes(error.code), JSON.stringify(outcome));
  assert.ok(tookMs <= withinMs + allowanceMs, `${error.code} came after ${tookMs} ms`);
}

/** The only command of its time failed so, and nothing waits any more. */
function assertFailed(outcome: Outcome, codes: readonly string[], withinMs: number): void {
  assertEnded(outcome, codes, withinMs);
  assert.equal(outcome.pending, 0);
}

describe("callers and callees on every runtime, in processes of their own", () => {
  let rendezvous: Program;
  let identity: string;
  let observer: Served;
  const callees = new Map<RuntimeName, Callee>();
  const callers = new Map<RuntimeName, Caller>();
  const victims: Callee[] = [];

  const calleeOn = (runtime: RuntimeName): Callee => callees.get(runtime) as Callee;
  const callerOn = (runtime: RuntimeName): Caller => callers.get(runtime) as Caller;

  before(async () => {
    rendezvous = new Program("bun", fixture("rendezvous_program.ts"), []);
    ({ identity } = await rendezvous.line<{ identity: string }>(startMs));
    const starts = runtimeNames.map(async (runtime) => {
      callees.set(runtime, await startCallee(runtime, typeOf(runtime), identity));
      callers.set(runtime, await startCaller(runtime, identity));
    });
    const observed = serve(defineNode({ type: "test:Caller:1.0.0" }), {
      port: 0,
      hostname: "127.0.0.1",
      identity,
      log: silentLogger(),
    });
    [observer] = await Promise.all([observed, ...starts]);
  });

  after(async () => {
    await observer?.stop();
    const programs = [...callees.values(), ...callers.values(), ...victims].map(
      ({ program }) => program,
    );
    await Promise.all([...programs, rendezvous].map((one) => one?.kill()));
  });

  describe("reach each other", { concurrency: true }, () => {
    for (const [index, caller] of runtimeNames.entries()) {
      // Each begins with another callee.
      const order = [...runtimeNames.slice(index), ...runtimeNames.slice(0, index)];
      describe(`${caller} calls`, { concurrency: false }, () => {
        for (const callee of order) {
          describe(`${caller} calls ${callee}`, () => {
            pair(
              () => callerOn(caller),
              () => calleeOn(callee),
              typeOf(callee),
            );
          });
        }
      });
    }
  });

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

  describe("of every runtime that stop while they are called from every runtime", () => {
    const start = async (type: string): Promise<Callee[]> => {
      const started = runtimeNames.map((runtime) => startCallee(runtime, type, identity));
      const all = await Promise.all(started);
      victims.push(...all);
      return all;
    };
    let leaving: readonly Callee[];
    let interrupted: readonly Callee[];

    before(async () => {
      const starts = [start("test:Leaving:1.0.0"), start("test:Interrupted:1.0.0")] as const;
      [leaving, interrupted] = await Promise.all(starts);
    });

    /** Every caller waits for every victim. */
    function wait(stopping: readonly Callee[], ms: number, timeoutMs: number): Promise<Outcome>[] {
      return [...callers.values()].flatMap((caller) =>
        stopping.map(({ id: target }) =>
          perform(caller, { do: "wait", as: "caller", target, ms, timeoutMs }),
        ),
      );
    }

    /** Resolves when a victim holds a call of every caller, or, as a short one may be over by then, has begun one. */
    async function calledByAll({ program }: Callee, what: "held" | "begun"): Promise<void> {
      const all = async (): Promise<boolean> => {
        program.send("how many?");
        return (await program.line<Record<typeof what, number>>())[what] >= callers.size;
      };
      await until(`a call of each caller is ${what}`, all, 60_000);
    }

    async function assertQuiet(): Promise<void> {
      for (const caller of callers.values()) assertDone(await perform(caller, { do: "tell" }));
    }

    it("answer what they had accepted when they are told to stop in time", async () => {
      const calls = wait(leaving, 300, 10_000);
      await Promise.all(leaving.map((each) => calledByAll(each, "begun")));
      const gone = leaving.map(({ program }) => program.kill("SIGTERM"));
      for (const { error, value } of await Promise.all(calls))
        assert.deepEqual([error, value], [undefined, "answered"]);
      await Promise.all(gone);
      for (const { program } of leaving) assert.equal(program.process.exitCode, 0);
      await assertQuiet();
    });

    for (const [signal, victimsOf] of [
      ["SIGTERM", () => interrupted],
      ["SIGKILL", () => [...callees.values()]],
    ] as const) {
      it(`[N-14] [T-12] ${signal}: every caller is told before its deadline, then and afterwards (over WebSocket)`, async () => {
        const dying = victimsOf();
        const calls = wait(dying, 600_000, 5_000);
        await Promise.all(dying.map((each) => calledByAll(each, "held")));
        await Promise.all(dying.map(({ program }) => program.kill(signal)));
        for (const outcome of await Promise.all(calls)) assertEnded(outcome, absent, 5_000);
        for (const outcome of await Promise.all(wait(dying, 0, 1_000)))
          assertEnded(outcome, absent, 1_000);
        await assertQuiet();
      });
    }
  });
});

function pair(caller: () => Caller, callee: () => Callee, type: string): void {
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
    const call = { do: "wait", as: "caller", target, ms: 300, timeoutMs: 100 } as const;
    const outcome = await perform(caller(), call);
    assertFailed(outcome, ["timed_out"], 100);
    assert.ok(outcome.tookMs >= 99, `${outcome.tookMs} ms`);
    // The late answer disturbs nobody.
    assertDone(await perform(caller(), { do: "echo", target, bytes: 64, times: 20, atOnce: 4 }));
  });

  it("[T-9] is told within 3 s of a target that does not exist", async () => {
    const target = callee().id.replace(/^[^@]+/, "12345");
    const call = { do: "wait", as: "caller", target, ms: 0, timeoutMs: 500 } as const;
    assertFailed(await perform(caller(), call), absent, 500);
  });
}
