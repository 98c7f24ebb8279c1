import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { Chromium, chromiumMissing } from "../fixtures/chromium/chromium.ts";
import type { ProbePage } from "../fixtures/chromium/probe_page.ts";
import type { ProbeResult, ProbeTask } from "../fixtures/peer_probe.ts";
import { Program, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

const bounds = {
  timeout: 180_000,
  skip: chromiumMissing ?? (await whyMissing("wrtc")) ?? false,
};

/** How a call to a peer that died may end. */
const deaths = ["timed_out", "unavailable", "connection_not_ready"];

interface Probe {
  readonly id: string;
  perform(task: ProbeTask): Promise<ProbeResult>;
}

interface ProcessProbe extends Probe {
  readonly program: Program;
}

interface PageProbe extends Probe {
  readonly page: Page;
}

async function startProcess(runtime: RuntimeName, identity: string): Promise<ProcessProbe> {
  const args = [`test:Probe-${runtime}:1.0.0`, identity];
  const program = new Program(runtime, fixture("peer_probe_program.ts"), args);
  const id = await program.line<string>(60_000);
  return {
    program,
    id,
    perform: async (task) => {
      program.send(task);
      return await program.line<ProbeResult>(60_000);
    },
  };
}

async function startPage(chromium: Chromium, identity: string): Promise<PageProbe> {
  const page = await chromium.open(new URL("../fixtures/chromium/probe_page.ts", import.meta.url));
  const id = await page.evaluate(
    ([type, at]) => (globalThis as unknown as { page: ProbePage }).page.start(type, at),
    ["test:Probe-page:1.0.0", identity] as const,
  );
  return {
    page,
    id,
    perform: (task) =>
      page.evaluate(
        (told) => (globalThis as unknown as { page: ProbePage }).page.perform(told),
        task,
      ),
  };
}

describe("pages and nodes that WebRTC alone connects", bounds, () => {
  let chromium: Chromium;
  let rendezvous: Program;
  let identity: string;
  const processes = new Map<RuntimeName, ProcessProbe>();
  const pages = new Map<"answers" | "offers", PageProbe>();

  before(async () => {
    rendezvous = new Program("node", fixture("rendezvous_program.ts"), []);
    ({ identity } = await rendezvous.line<{ identity: string }>(60_000));
    chromium = await Chromium.launch();
    // The server has the peer offer that registered later: its serial is the larger one.
    pages.set("answers", await startPage(chromium, identity));
    await Promise.all(
      runtimeNames.map(async (name) => processes.set(name, await startProcess(name, identity))),
    );
    pages.set("offers", await startPage(chromium, identity));
  });

  after(async () => {
    await chromium?.[Symbol.asyncDispose]();
    for (const { program } of processes.values()) await program.kill("SIGTERM");
    await rendezvous?.kill("SIGTERM");
  });

  const both = (role: "answers" | "offers", runtime: RuntimeName) =>
    [pages.get(role) as PageProbe, processes.get(runtime) as ProcessProbe] as const;

  for (const role of ["offers", "answers"] as const) {
    for (const runtime of runtimeNames) {
      describe(`a page that ${role}, and ${runtime}`, () => {
        it("call each other: 0 B, 64 KB, 1 MB, then 64 at once", async () => {
          const [page, node] = both(role, runtime);
          for (const [caller, callee] of [
            [page, node],
            [node, page],
          ] as const) {
            await callsOfAllSizes(caller, callee.id);
          }
        });

        it("stream to each other on both lanes", async () => {
          const [page, node] = both(role, runtime);
          for (const lossy of [false, true]) {
            await streams(page, node, lossy);
            await streams(node, page, lossy);
          }
        });
      });
    }
  }

  it("take the roles that the server gives, one connection for each pair", async () => {
    const tell = { do: "tell" } as const;
    const offering = await pages.get("offers")?.perform(tell);
    const answering = await pages.get("answers")?.perform(tell);
    assert.deepEqual([offering?.offers, offering?.answers, offering?.connections], [3, 0, 3]);
    assert.deepEqual([answering?.offers, answering?.answers, answering?.connections], [0, 3, 3]);
  });

  describe("that lose each other", { concurrency: true }, () => {
    it("a page that is closed, and one that crashes: nodes are told in time, keep no call, and take the next", async () => {
      const callers = [...processes.values()];
      for (const end of [
        (page: Page) => page.close(),
        (page: Page) => page.goto("chrome://crash").catch(() => {}),
      ]) {
        const victim = await startPage(chromium, identity);
        await lose(callers, victim, () => end(victim.page));
        const next = await startPage(chromium, identity);
        for (const caller of callers) await calls(caller, next.id);
        await next.page.close();
      }
    });

    for (const runtime of runtimeNames) {
      it(`${runtime} that is killed: a page is told in time, keeps no call, and reaches the next`, async () => {
        const caller = await startPage(chromium, identity);
        const victim = await startProcess(runtime, identity);
        await lose([caller], victim, () => victim.program.kill("SIGKILL"));
        // What is asked after the death ends in time as well.
        diedInTime(await caller.perform({ ...hang, target: victim.id }));
        const next = await startProcess(runtime, identity);
        await calls(caller, next.id);
        await next.program.kill("SIGTERM");
      });
    }
  });
});

/** Calls that are not answered. */
const hang = { do: "hang", atOnce: 8, timeoutMs: 4_000 } as const;

/** Has every caller wait for answers of the victim when that dies: none may wait in vain. */
async function lose(
  callers: readonly Probe[],
  { id: target, ...victim }: Probe,
  die: () => Promise<unknown>,
): Promise<void> {
  for (const caller of callers) await calls(caller, target);
  const hanging = callers.map((caller) => caller.perform({ ...hang, target }));
  const { connections } = await victim.perform({ do: "tell" });
  assert.equal(connections, callers.length);
  await die();
  for (const result of await Promise.all(hanging)) diedInTime(result);
}

async function callsOfAllSizes(caller: Probe, target: string): Promise<void> {
  for (const [bytes, atOnce] of [
    [0, 1],
    [65_536, 1],
    [1_048_576, 1],
    [1_000, 64],
  ] as const) {
    await calls(caller, target, bytes, atOnce);
  }
}

async function calls(caller: Probe, target: string, bytes = 1_000, atOnce = 1): Promise<void> {
  const task = { do: "echo", target, bytes, atOnce, timeoutMs: 20_000 } as const;
  const { equal, errors, pending } = await caller.perform(task);
  assert.deepEqual({ equal, errors, pending }, { equal: true, errors: [], pending: 0 });
}

let streamCount = 0;

async function streams(from: Probe, to: Probe, lossy: boolean): Promise<void> {
  const stream = `stream-${++streamCount}`;
  // Of a lane that may lose some, the reader waits for fewer.
  const read = { stream, lossy, count: lossy ? 20 : 64 };
  await to.perform({ do: "read", from: from.id, ...read });
  await from.perform({ do: "write", target: to.id, stream, lossy, count: lossy ? 40 : 64 });
  assert.equal((await to.perform({ do: "await", ...read })).equal, true);
}

function diedInTime({ errors, pending, tookMs }: ProbeResult): void {
  assert.equal(errors.length, hang.atOnce);
  assert.ok(
    errors.every((code) => deaths.includes(code)),
    errors.join(),
  );
  assert.ok(tookMs < hang.timeoutMs + 3_000, `${tookMs} ms`);
  assert.equal(pending, 0);
}
