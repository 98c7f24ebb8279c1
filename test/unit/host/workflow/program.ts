import type { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import type { SeededRandom } from "../../../../adapters/memory/seeded_random.ts";
import { type AnyActor, actor, queue } from "../../../../src/actor.ts";
import { ActrError } from "../../../../src/errors.ts";
import { decodeCbor } from "../../../../src/protocol/cbor/decode.ts";
import { encodeCbor } from "../../../../src/protocol/cbor/encode.ts";
import type { StepContext, WorkflowContext } from "../../../../src/workflow.ts";

/** One entry of a random workflow. */
export type Part =
  | {
      readonly kind: "step";
      readonly name: string;
      /** Tries that fail before one does not; beyond those allowed, the step fails. */
      readonly fails: number;
      readonly ms: number;
      readonly turn: "exclusive" | "interleaved";
    }
  | { readonly kind: "sleep"; readonly name: string; readonly ms: number }
  | { readonly kind: "message"; readonly name: string; readonly timeoutMs: number | undefined }
  | { readonly kind: "loop"; readonly name: string; readonly times: number; readonly body: Parts }
  | { readonly kind: "join"; readonly name: string; readonly branches: readonly Parts[] }
  | { readonly kind: "race"; readonly name: string; readonly fast: Parts; readonly slow: Parts }
  | { readonly kind: "checkpoint"; readonly name: string };

export type Parts = readonly Part[];

/** What the actors of a program remember. */
export interface Memory {
  /** How often each step took effect, by its place. */
  readonly done: Record<string, number>;
  readonly undone: Record<string, number>;
  readonly ticks: Record<string, number>;
  readonly fed: Record<string, boolean>;
}

type Workflow = WorkflowContext;
/** Tries of a step without another policy. */
const maxTries = 4;

/** A random workflow. */
export function randomParts(random: SeededRandom, depth: number, prefix = ""): Parts {
  const count = 1 + Math.floor(random.next() * (depth === 0 ? 4 : 3));
  return Array.from({ length: count }, (_, i) => randomPart(random, depth, `${prefix}${i}`));
}

function randomPart(random: SeededRandom, depth: number, name: string): Part {
  const dice = random.next();
  const ms = Math.floor(random.next() * 40_000);
  const inner = (letter: string): Parts => randomParts(random, depth + 1, `${name}${letter}`);
  if (dice < 0.45 || depth >= 3) return randomStep(random, name);
  if (dice < 0.55) return { kind: "sleep", name, ms };
  if (dice < 0.65) return { kind: "message", name, timeoutMs: undefined };
  if (dice < 0.68) return { kind: "message", name: `${name}t`, timeoutMs: ms };
  // Within branches it would depend on chance what comes before one.
  if (dice < 0.72 && /^[0-9l]*$/.test(name)) return { kind: "checkpoint", name };
  if (dice < 0.82) {
    return { kind: "loop", name, times: 1 + Math.floor(random.next() * 4), body: inner("l") };
  }
  if (dice < 0.92) return { kind: "join", name, branches: [inner("a"), inner("b")] };
  return { kind: "race", name, fast: [randomStep(random, `${name}f`, 0)], slow: inner("s") };
}

function randomStep(random: SeededRandom, name: string, most = 5): Part {
  const fails = random.next() < 0.3 ? Math.floor(random.next() * most) : 0;
  const ms = random.next() < 0.5 ? 0 : Math.floor(random.next() * 3000);
  const turn = random.next() < 0.2 ? "interleaved" : "exclusive";
  return { kind: "step", name, fails, ms, turn };
}

/** Names of the queues that a program receives from without an end. */
export function queuesOf(parts: Parts): string[] {
  return parts.flatMap((part) => {
    switch (part.kind) {
      case "message":
        return part.timeoutMs === undefined ? [part.name] : [];
      case "loop":
        return queuesOf(part.body);
      case "join":
        return part.branches.flatMap(queuesOf);
      case "race":
        return [...queuesOf(part.fast), ...queuesOf(part.slow)];
      default:
        return [];
    }
  });
}

/** The actor that runs a program; `fails` says whether its end does, so that steps are undone. */
export function actorOf(parts: Parts, clock: FakeClock, fails: boolean): AnyActor {
  const names = ["none", "echo", ...queuesOf(parts)];
  const queues = Object.fromEntries(names.map((name) => [name, queue<string>()]));
  return actor({
    state: (): Memory => ({ done: {}, undone: {}, ticks: {}, fed: {} }),
    queues,
    options: { sleepAfterMs: 5000, sleepGraceMs: 2000 },
    actions: {
      memory: (c) => decodeCbor(encodeCbor(c.state)),
      feed(c, name: string, n: number) {
        if (c.state.fed[`${name} ${n}`] === true) return;
        c.state.fed[`${name} ${n}`] = true;
        c.queue.send(name, `${n}`);
      },
      tick: (c, place: string) => count(c.state.ticks, place),
    },
    run: {
      async workflow(w) {
        const outcome = await run(w as unknown as Workflow, parts, clock, "");
        if (fails) throw new ActrError("internal", "the end fails");
        return outcome;
      },
    },
  });
}

/** What a piece comes to: what it has received and made. */
async function run(w: Workflow, parts: Parts, clock: FakeClock, at: string): Promise<string> {
  const outcomes: string[] = [];
  for (const part of parts) outcomes.push(await runPart(w, part, clock, at));
  return outcomes.join(" ");
}

async function runPart(w: Workflow, part: Part, clock: FakeClock, at: string): Promise<string> {
  const { kind, name } = part;
  switch (kind) {
    case "step":
      return await runStep(w, part, clock, `${at}${name}`);
    case "sleep":
      await w.sleep(name, part.ms);
      return name;
    case "checkpoint":
      await w.rollbackCheckpoint(name);
      return name;
    case "message": {
      if (part.timeoutMs === undefined)
        return String((await w.message(name, { names: [name] })).body);
      const none = await w.message(name, { names: ["none"], timeoutMs: part.timeoutMs });
      return `${name} ${none === undefined}`;
    }
    case "loop":
      return await w.loop(name, { state: 0, keep: 2 }, async (each, n) => {
        const outcome = await run(each, part.body, clock, `${at}${name}[${n}]`);
        return n + 1 < part.times ? { next: n + 1 } : { done: outcome };
      });
    case "join": {
      const [a = [], b = []] = part.branches;
      const both = await w.join(name, {
        a: async (branch) => await run(branch, a, clock, at),
        b: async (branch) => await run(branch, b, clock, at),
      });
      return `${both.a} ${both.b}`;
    }
    case "race": {
      const first = await w.race(name, {
        fast: async (branch) => await run(branch, part.fast, clock, at),
        slow: async (branch) => {
          await branch.sleep("never", 10_000_000);
          return await run(branch, part.slow, clock, at);
        },
      });
      return first.winner;
    }
  }
}

async function runStep(
  w: Workflow,
  { name, fails, ms, turn }: Part & { readonly kind: "step" },
  clock: FakeClock,
  place: string,
): Promise<string> {
  const work = async (attempt: number, signal: AbortSignal): Promise<string> => {
    if (ms > 0) await clock.sleep(ms, { signal });
    if (attempt <= fails) throw new Error("this try fails");
    return `${name}!`;
  };
  try {
    if (turn === "interleaved") {
      return await w.step(
        name,
        { turn, maxRetries: 100 },
        async (c) => await work(Number.POSITIVE_INFINITY, c.signal),
      );
    }
    const rollback = (c: StepContext): void => void count((c.state as Memory).undone, place);
    return await w.step(name, { rollback, maxRetries: maxTries - 1 }, async (c) => {
      const memory = c.state as Memory;
      // What a try that fails has changed is not kept.
      count(memory.done, place);
      c.kv.put(place, "done");
      c.send("echo" as never, place as never);
      c.schedule.set({ at: clock.now(), maxRetries: 100 }, "tick", place);
      // Tries that a crash cut short are none that failed.
      return await work(fails >= maxTries ? 0 : c.attempt, c.signal);
    });
  } catch (error) {
    return `${name}?${ActrError.from(error).message}`;
  }
}

function count(counts: Record<string, number>, place: string): void {
  counts[place] = (counts[place] ?? 0) + 1;
}
