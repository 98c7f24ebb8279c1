/**
 * `npm run fuzz:rendezvous -- [--messages 200000] [--seed N] [--intruders 1] [--runtime node|deno|bun]`: mutated real
 * messages against a rendezvous in a process of its own, while two healthy nodes go about their business. Tells what
 * became of the messages and how long the healthy nodes waited; fails when the server ends, a message reaches whom it
 * is not for, or the p99 of the healthy nodes is more than three times what it is in quiet.
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { delay } from "#async";
import {
  fixture,
  Program,
  type RuntimeName,
  runtimeNames,
  thisRuntime,
} from "../../../fixtures/runtimes.ts";
import { idText } from "../../peer/identity.ts";
import { HealthyPair } from "./healthy_pair.ts";
import type { FuzzPlan, FuzzProgress } from "./intruding.ts";

const type = "acme:healthy:1.0.0";
const mostSlower = 3;
const patienceMs = 120_000;
const quietRounds = 1_000;
/** Two messages a round stay below what one connection may send a second. */
const pauseMs = 5;

/** How long rounds took, milliseconds. */
class Waits {
  readonly #ping: number[] = [];
  readonly #relay: number[] = [];

  /** One round of a pair, and a pause. */
  async round(pair: HealthyPair): Promise<void> {
    const { pingMs, relayMs } = await pair.round();
    this.#ping.push(pingMs);
    this.#relay.push(relayMs);
    await delay(pauseMs);
  }

  get rounds(): number {
    return this.#ping.length;
  }

  of(what: "ping" | "relay", part: number): number {
    const sorted = (what === "ping" ? this.#ping : this.#relay).toSorted((a, b) => a - b);
    return sorted[Math.floor(part * sorted.length)] ?? Number.NaN;
  }
}

function asked(): { messages: number; seed: number; intruders: number; runtime: RuntimeName } {
  const { values } = parseArgs({
    options: {
      messages: { type: "string", default: "200000" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      intruders: { type: "string", default: "1" },
      runtime: { type: "string", default: thisRuntime },
    },
  });
  const [messages, seed, intruders] = [values.messages, values.seed, values.intruders].map(Number);
  const runtime = runtimeNames.find((name) => name === values.runtime);
  if (
    !messages ||
    !intruders ||
    seed === undefined ||
    Number.isNaN(seed) ||
    runtime === undefined
  ) {
    console.error(
      "--messages and --intruders take numbers above 0, --seed a number, --runtime node, deno or bun",
    );
    process.exit(2);
  }
  return { messages, seed, intruders, runtime };
}

function residentMb(pid: number | undefined): number {
  const kilobytes = execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return Math.round(Number(kilobytes) / 1024);
}

function row(name: string, ...cells: (string | number)[]): void {
  console.log([name.padEnd(28), ...cells.map((cell) => String(cell).padStart(10))].join(" "));
}

const { messages, seed, intruders, runtime } = asked();
console.log(
  `${messages} messages of ${intruders} intruders, seed ${seed}, rendezvous on ${runtime}`,
);
// Each connection is soon ended: what limits how often one address comes back would be all that is seen.
const limits = { addressBurst: messages, addressRequestsPerSecond: messages };
const serving = ["0", ":memory:", JSON.stringify({ limits })];
await using server = new Program(runtime, fixture("rendezvous_program.ts"), serving);
const { url, identity: ais } = await server.line<{ url: string; identity: string }>(patienceMs);
const signaling = `${url.replace("http", "ws")}/signaling/ws`;
await using pair = await HealthyPair.start(ais, signaling, type);
const [warmUp, quiet, under] = [new Waits(), new Waits(), new Waits()];
while (warmUp.rounds < quietRounds) await warmUp.round(pair);
while (quiet.rounds < quietRounds) await quiet.round(pair);
const restMb = residentMb(server.process.pid);

const plan: FuzzPlan = {
  ...{ ais, intruders, messages, seed },
  targets: { signaling, type, secret: pair.secret },
  ids: [pair.one.id, pair.other.id].map(idText),
};
const began = performance.now();
// What they need of the machine must not be what the healthy nodes wait for.
const polite = ["nice", "-n", "19"];
const intruding = fileURLToPath(import.meta.resolve("./intruding.ts"));
await using program = new Program("node", intruding, [JSON.stringify(plan)], polite);
let progress: FuzzProgress | undefined;
const reading = (async (): Promise<void> => {
  while (progress?.done !== true) {
    progress = await program.line<FuzzProgress>(patienceMs);
    const perSecond = Math.round(progress.sent / ((performance.now() - began) / 1_000));
    console.log(`${progress.sent} of ${messages} messages, ${perSecond}/s`);
  }
})();
reading.catch(() => {}); // Told where it is awaited.
while (progress?.done !== true && server.process.exitCode === null) await under.round(pair);
await reading;
if (progress === undefined) throw new Error("the intruders said nothing");
while (quiet.rounds < 2 * quietRounds) await quiet.round(pair);

const { sent, handled, answers, errors, ends, stolen } = progress;
row("messages sent, handled", sent, handled);
row("answers, errors among them", answers, errors);
for (const [code, count] of Object.entries(ends)) row(`connections ended with ${code}`, count);
row("relays to the healthy nodes", pair.disturbed);
row("resident before, after, MB", restMb, residentMb(server.process.pid));
row("healthy nodes, ms", "p50", "p99", "quiet p50", "quiet p99", "ratio p99");
const ratios = (["ping", "relay"] as const).map((what) => {
  const ratio = under.of(what, 0.99) / quiet.of(what, 0.99);
  const cells = [under, quiet].flatMap((waits) => [0.5, 0.99].map((part) => waits.of(what, part)));
  row(what, ...[...cells, ratio].map((value) => value.toFixed(2)));
  return ratio;
});
for (const complaint of [...stolen, ...pair.complaints].slice(0, 10)) console.log(complaint);
const wrong = stolen.length + pair.complaints.length;
const slow = Math.max(...ratios) > mostSlower;
console.log(wrong === 0 ? "nothing reached whom it was not for" : `${wrong} things went wrong`);
if (slow) console.log(`healthy nodes waited more than ${mostSlower} times as long as in quiet`);
process.exitCode = wrong > 0 || slow ? 1 : 0;
