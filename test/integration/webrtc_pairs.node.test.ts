/**
 * Nodes on every runtime, each in a process of its own, and pages of Chromium, that WebRTC alone connects: every kind with
 * every kind, in both roles. The server has the peer offer that registered later, so each kind is there twice.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import type { ProbeResult } from "../fixtures/peer_probe.ts";
import {
  type PageProbe,
  type Probe,
  type ProbeKind,
  performAll,
  startPage,
  startProcess,
} from "../fixtures/probes.ts";
import { fixture, Program, runtimeNames } from "../fixtures/runtimes.ts";
import { until } from "../fixtures/until.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const bounds = { timeout: 400_000, skip: (await whyMissing("wrtc")) ?? false };
const kinds: readonly ProbeKind[] =
  chromiumMissing === undefined ? [...runtimeNames, "page"] : runtimeNames;

/** Time for calls that are answered, on a busy machine, milliseconds. */
const answerMs = 60_000;
/** Calls that are not answered. */
const hang = { do: "hang", atOnce: 8, timeoutMs: 1_500 } as const;
/** How they may end when the peer dies. */
const deaths = ["timed_out", "unavailable", "connection_not_ready"];

describe("nodes and pages that WebRTC alone connects", bounds, () => {
  let rendezvous: Program;
  let identity: string;
  let chromium: Chromium | undefined;
  const [answering, offering] = [new Map<ProbeKind, Probe>(), new Map<ProbeKind, Probe>()];
  const started: Probe[] = [];

  async function start(kind: ProbeKind): Promise<Probe> {
    const probe = kind === "page" ? await page() : await startProcess(kind, identity);
    started.push(probe);
    return probe;
  }

  function page(): Promise<PageProbe> {
    if (chromium === undefined) throw new TypeError("no Chromium was started");
    return startPage(chromium, identity);
  }

  async function startAll(probes: Map<ProbeKind, Probe>): Promise<void> {
    await Promise.all(kinds.map(async (kind) => probes.set(kind, await start(kind))));
  }

  before(async () => {
    rendezvous = new Program("bun", fixture("rendezvous_program.ts"), []);
    if (kinds.includes("page")) chromium = await Chromium.launch();
    ({ identity } = await rendezvous.line<{ identity: string }>(60_000));
    await startAll(answering);
    await startAll(offering);
  });

  after(async () => {
    await chromium?.[Symbol.asyncDispose]();
    await Promise.all(started.filter(({ kind }) => kind !== "page").map((each) => each.kill()));
    await rendezvous?.kill();
  });

  /** A test of each pair. */
  function pairs(
    title: (answers: ProbeKind, offers: ProbeKind) => string,
    test: (answers: Probe, offers: Probe) => Promise<void> | void,
  ): void {
    for (const one of kinds) {
      for (const other of kinds) {
        const probes = () => [answering.get(one) as Probe, offering.get(other) as Probe] as const;
        it(title(one, other), () => test(...probes()));
      }
    }
  }

  if (chromiumMissing !== undefined) it("pages of Chromium", { skip: chromiumMissing }, () => {});

  describe("reach each other", { concurrency: true }, () => {
    pairs(
      (answers, offers) =>
        `[N-7] ${answers}, which answers, and ${offers}, which offers, call each other: 0 B, 64 KB, 1 MB, then 64 at once`,
      async (...pair) => {
        await Promise.all(eachWay(pair).map(([from, to]) => callsOfAllSizes(from, to)));
      },
    );
    pairs(
      (answers, offers) =>
        `${answers}, which answers, and ${offers}, which offers, stream to each other on both lanes`,
      async (...pair) => {
        for (const lossy of [false, true])
          await Promise.all(eachWay(pair).map(([from, to]) => streams(from, to, lossy)));
      },
    );
  });

  it("take the roles that the server gives, one connection for each pair, whoever called first", async () => {
    const count = kinds.length;
    for (const [probes, expected] of [
      [answering, [0, count, count]],
      [offering, [count, 0, count]],
    ] as const) {
      const results = await performAll(probes.values(), { do: "tell" });
      for (const { offers, answers, connections } of results.values())
        assert.deepEqual([offers, answers, connections], expected);
    }
  });

  describe("call and stream without pause while ICE restarts", () => {
    type Results = ReadonlyMap<Probe, ProbeResult>;
    let storm: Readonly<Record<"begun" | "moved" | "loaded" | "over", Results>>;

    before(async () => {
      const all = [...answering.values(), ...offering.values()];
      const begun = await performAll(all, { do: "tell" });
      for (const from of answering.values()) {
        for (const to of offering.values()) await readEachOther(from, to);
      }
      await Promise.all(all.map((probe) => probe.perform(loadOf(probe))));
      const moves: Results[] = [];
      for (const movers of [offering, answering]) {
        await delay(200);
        moves.push(await performAll(movers.values(), { do: "move" }));
      }
      await delay(200);
      const loaded = await performAll(all, { do: "rest" });
      const moved = new Map(moves.flatMap((each) => [...each]));
      storm = { begun, moved, loaded, over: await performAll(all, { do: "tell" }) };
    });

    pairs(
      (answers, offers) =>
        `${answers}, which asks for it, and ${offers}, which offers it: no answer is lost, nothing done twice, a stream goes on`,
      async (...pair) => {
        for (const [from, to] of eachWay(pair)) {
          const { errors, restarts } = storm.moved.get(from) ?? {};
          assert.deepEqual(errors, []);
          assert.ok((restarts?.[to.id] ?? 0) > 0, "no restart");
          const { loads, pending } = { ...storm.loaded.get(from), ...storm.over.get(from) };
          const { calls = 0, failed, chunks = 0 } = loads?.[to.id] ?? {};
          assert.deepEqual([failed, pending], [[], 0]);
          assert.ok(calls > 0 && chunks > 0);
          const answered = (results: Results) => results.get(to)?.echoed[from.id] ?? 0;
          assert.equal(answered(storm.over) - answered(storm.begun), calls);
          const read = await to.perform({ do: "await", stream: streamOf(from, to) });
          assert.deepEqual([read.equal, read.chunks], [true, chunks]);
        }
      },
    );

    function loadOf(from: Probe) {
      const peers = [...answering.values()].includes(from) ? offering : answering;
      const names = [...peers.values()].map((to) => [to.id, streamOf(from, to)]);
      return { do: "load", streams: Object.fromEntries(names) } as const;
    }
  });

  describe("are told in time that a peer was killed, keep no call, and reach who comes in its place", () => {
    const next: Probe[] = [];

    it("those that answered", async () => {
      const [callers, victims] = [[...answering.values()], [...offering.values()]];
      const starts = kinds.map(async (kind) => next.push(await start(kind)));
      await lose(callers, victims, () => Promise.all(victims.map((each) => each.kill())));
      // What is asked after the death ends in time as well.
      await Promise.all(callers.map((caller) => hangs(caller, victims)));
      await Promise.all(starts);
      await Promise.all(callers.flatMap((caller) => next.map((to) => reaches(caller, to))));
    });

    it("those that offered", async () => {
      const victims = [...answering.values()];
      await lose(next, victims, () => Promise.all(victims.map((each) => each.kill())));
    });

    it("also that a page has crashed", { skip: chromiumMissing ?? false }, async () => {
      const victim = await page();
      await lose(next, [victim], () => victim.crash());
    });
  });
});

function eachWay([one, other]: readonly [Probe, Probe]) {
  return [
    [one, other],
    [other, one],
  ] as const;
}

async function callsOfAllSizes(caller: Probe, callee: Probe): Promise<void> {
  for (const [bytes, atOnce] of [
    [0, 1],
    [65_536, 1],
    [1_048_576, 1],
    [1_000, 64],
  ] as const) {
    await calls(caller, callee, bytes, atOnce);
  }
}

async function calls(caller: Probe, { id: target }: Probe, bytes = 1_000, atOnce = 1) {
  const task = { do: "echo", target, bytes, atOnce, timeoutMs: answerMs } as const;
  const { equal, errors } = await caller.perform(task);
  assert.deepEqual({ equal, errors }, { equal: true, errors: [] });
}

/** As {@link calls}, tried again as the error asks where a link is lost before it is used, as on a machine that starts much at once. */
async function reaches(caller: Probe, { id: target }: Probe): Promise<void> {
  const task = { do: "echo", target, bytes: 1_000, atOnce: 1, timeoutMs: answerMs } as const;
  await until(
    `${caller.id} has reached ${target}`,
    async () => {
      const { equal, errors } = await caller.perform(task);
      if (errors.length === 1 && errors[0] === "connection_not_ready") return false;
      assert.deepEqual({ equal, errors }, { equal: true, errors: [] });
      return true;
    },
    answerMs,
  );
}

function streamOf(from: Probe, to: Probe): string {
  return `${from.id} to ${to.id}`;
}

async function readEachOther(one: Probe, other: Probe): Promise<void> {
  for (const [from, to] of eachWay([one, other]))
    await to.perform({ do: "read", stream: streamOf(from, to), from: from.id, lossy: false });
}

let streamCount = 0;

async function streams(from: Probe, to: Probe, lossy: boolean): Promise<void> {
  const stream = `stream-${++streamCount}`;
  // Of a lane that may lose some, the reader waits for fewer.
  const count = lossy ? 20 : 64;
  await to.perform({ do: "read", stream, from: from.id, lossy, count });
  await from.perform({ do: "write", stream, target: to.id, lossy, count: lossy ? 40 : 64 });
  const { equal, chunks } = await to.perform({ do: "await", stream });
  assert.deepEqual({ equal, chunks }, { equal: true, chunks: count });
}

/** Has every caller wait for answers of every victim when they die: none may wait in vain. */
async function lose(
  callers: readonly Probe[],
  victims: readonly Probe[],
  die: () => Promise<unknown>,
): Promise<void> {
  await Promise.all(callers.flatMap((caller) => victims.map((victim) => reaches(caller, victim))));
  const hanging = callers.map((caller) => hangs(caller, victims));
  for (const { connections } of (await performAll(victims, { do: "tell" })).values())
    assert.ok(connections >= callers.length);
  await die();
  await Promise.all(hanging);
}

/** Calls that nobody answers end in time, and leave nothing behind. */
async function hangs(caller: Probe, victims: readonly Probe[]): Promise<void> {
  const tasks = victims.map(({ id: target }) => caller.perform({ ...hang, target }));
  for (const { errors, tookMs } of await Promise.all(tasks)) {
    assert.equal(errors.length, hang.atOnce);
    assert.ok(
      errors.every((code) => deaths.includes(code)),
      errors.join(),
    );
    assert.ok(tookMs < hang.timeoutMs + 3_000, `${tookMs} ms`);
  }
  assert.equal((await caller.perform({ do: "tell" })).pending, 0);
}
