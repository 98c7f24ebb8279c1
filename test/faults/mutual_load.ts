import process from "node:process";
import type { Served } from "../../adapters/serve/options.ts";
import { ActrError } from "../../src/errors.ts";
import { type Done, KeyService } from "../fixtures/keys_pb.ts";
import { crossing, type MutualNodes } from "./mutual_nodes.ts";

/** What came of a load on two nodes that call each other. */
export interface MutualFigures {
  readonly seconds: number;
  readonly answered: number;
  /** Times that a call was refused, with a typed error, since handlers would have waited for each other; each is made again until it is answered. */
  readonly refused: number;
  /** Calls without an answer in time. */
  readonly lost: number;
  /** Answers to another request, or of another meaning. */
  readonly wrong: number;
  /** Failures of any other kind, by code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Calls, messages and handlers that were left when the load had ended. */
  readonly left: number;
  /** Least memory seen early in the load and at its end, MB. */
  readonly heap: readonly [early: number, late: number];
  readonly rss: readonly [early: number, late: number];
}

/** Calls under way from each node at any time: three for each place that handlers have. */
const inFlight = 24;
const rooms = 12;
/** Far beyond what any of these calls takes: who waits as long waits for nothing. */
const timeoutMs = 15_000;
/** Longest pause before a refused call is made again, milliseconds. */
const maxPauseMs = 100;

interface Tally {
  answered: number;
  refused: number;
  lost: number;
  wrong: number;
  readonly failed: Record<string, number>;
}

interface Ask {
  readonly method: "enter" | "leave" | "close";
  readonly room: string;
  readonly name: string;
  readonly expected: string;
}

/** Keeps both nodes busy with each other for `seconds`. */
export async function mutualLoad({ nodes }: MutualNodes, seconds: number): Promise<MutualFigures> {
  const tally: Tally = { answered: 0, refused: 0, lost: 0, wrong: 0, failed: {} };
  const until = performance.now() + seconds * 1000;
  const memory = new MemoryWatch(seconds);
  const [first, second] = nodes;
  const callers = Array.from({ length: inFlight }, (_, index) => [
    keepCalling(first, second, `a${index}`, until, tally),
    keepCalling(second, first, `b${index}`, until, tally),
  ]);
  await Promise.all(callers.flat());
  memory.stop();
  const left = nodes.reduce((sum, node) => sum + leftIn(node), 0);
  return { seconds, ...tally, left, ...memory.figures() };
}

async function keepCalling(
  from: Served,
  to: Served,
  caller: string,
  until: number,
  tally: Tally,
): Promise<void> {
  const client = from.context.service(KeyService, to.id);
  for (let count = 0; performance.now() < until; count += 1) {
    const { method, room, name, expected } = askOf(`${caller}-${count}`, count);
    for (let again = true; again; ) {
      const outcome = await outcomeOf(client[method]({ room, name }, { timeoutMs }));
      again = outcome instanceof ActrError && outcome.message.includes("deadlock: ");
      countOutcome(tally, outcome, expected);
      if (again) await new Promise((resolve) => setTimeout(resolve, Math.random() * maxPauseMs));
    }
  }
}

async function outcomeOf(call: Promise<Done>): Promise<string | ActrError> {
  try {
    return (await call).name;
  } catch (error) {
    return ActrError.from(error);
  }
}

function countOutcome(tally: Tally, outcome: string | ActrError, expected: string): void {
  if (typeof outcome !== "string") return countFailure(tally, outcome);
  if (outcome === expected) tally.answered += 1;
  else tally.wrong += 1;
}

/** Mostly calls there and back; some that cross, all in one room; a few that run alone. */
function askOf(name: string, count: number): Ask {
  const room = `room ${count % rooms}`;
  if (count % 50 === 49) return { method: "close", room, name, expected: `closed ${name}` };
  if (count % 10 !== 9) {
    return { method: "enter", room, name, expected: `entered spoken left ${name}` };
  }
  const crosses = `${crossing}${name}`;
  return { method: "leave", room: "crossing", name: crosses, expected: `left ${name}` };
}

function countFailure(tally: Tally, { code, message }: ActrError): void {
  if (code === "timed_out") tally.lost += 1;
  else if (message.includes("deadlock: ")) tally.refused += 1;
  else tally.failed[code] = (tally.failed[code] ?? 0) + 1;
}

function leftIn({ node }: Served): number {
  const { queued, inFlight: handled } = node.inbound.mailbox.status();
  const { running, waiting, pendingReplies } = node.inbound.handling.status();
  return node.outbound.pending.size + queued + handled + running + waiting + pendingReplies;
}

/** The least memory within two windows of a load: what is there after a collection of garbage. */
class MemoryWatch {
  readonly #began = performance.now();
  readonly #ms: number;
  readonly #samples: { readonly at: number; readonly heap: number; readonly rss: number }[] = [];
  readonly #timer = setInterval(() => this.#sample(), 100);

  constructor(seconds: number) {
    this.#ms = seconds * 1000;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#sample();
  }

  figures(): Pick<MutualFigures, "heap" | "rss"> {
    const least = (metric: "heap" | "rss", from: number, to: number): number => {
      const inside = this.#samples.filter(({ at }) => at >= from * this.#ms && at <= to * this.#ms);
      return Math.min(...inside.map((sample) => sample[metric])) / 1e6;
    };
    return {
      heap: [least("heap", 0.2, 0.5), least("heap", 0.75, 2)],
      rss: [least("rss", 0.2, 0.5), least("rss", 0.75, 2)],
    };
  }

  #sample(): void {
    const { heapUsed: heap, rss } = process.memoryUsage();
    this.#samples.push({ at: performance.now() - this.#began, heap, rss });
  }
}
