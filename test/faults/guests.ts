/**
 * `npm run faults:guests -- [--seconds N] [--times N]`: a component in a thread answers calls, by turns alone and beside
 * hostile guests of both kinds in theirs, on this runtime; a minute by default. Fails when an attack ends as it must not,
 * or the neighbour's 99th percentile is more than so many times (2) what it is when it is alone.
 */
import { readFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { parseArgs } from "node:util";
import { systemClock } from "../../adapters/system_clock.ts";
import { GuestQuota } from "../../src/guest/life/quota.ts";
import { workerGuestHost } from "../../src/guest/worker/worker_host.ts";
import type { GuestCode } from "../../src/ports/guest_host.ts";
import { testThreads } from "../fixtures/guest_thread.ts";
import { guestComponent } from "../fixtures/guests/guest_component.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { attacksOf, endOf, hostileOptions, ToldGuest } from "./hostile_guests.ts";

const windows = 20;
const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, times: { type: "string", default: "2" } },
});
const windowMs = (Number(values.seconds) * 1000) / windows;

await using threads = await testThreads();
const clock = systemClock();
const host = workerGuestHost({ clock, startThread: threads.startThread });
const quota = new GuestQuota();
const component: GuestCode = { kind: "wasm", binary: await guestComponent("probe") };
const script = new URL("../fixtures/guests/probe_script.js", import.meta.url);
const hostile: readonly GuestCode[] = [
  component,
  { kind: "script", binary: await readFile(script) },
];
await using neighbour = await new ToldGuest(host, component, quota, {}).load();
const payload = new Uint8Array(1024);

/** How long each of the neighbour's answers took within a window, milliseconds. */
async function window(): Promise<number[]> {
  const took: number[] = [];
  const until = performance.now() + windowMs;
  for (let now = performance.now(); now < until; ) {
    await neighbour.dispatch("echo", payload);
    const then = performance.now();
    took.push(then - now);
    now = then;
  }
  return took;
}

let wrong = 0;
let attacked = 0;

/** Attacks, one after another, until the signal ends. */
async function attack(code: GuestCode, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await using guest = await new ToldGuest(host, code, quota, hostileOptions).load();
    for (const each of attacksOf(code.kind).slice(attacked % 4)) {
      if (signal.aborted || guest.runner.status().rebuilds > 3) break;
      attacked += 1;
      if (!each.ends.includes(await endOf(each, guest))) wrong += 1;
    }
  }
}

function percentile(took: readonly number[]): number {
  return took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.99)] ?? 0;
}

const alone: number[] = [];
const beside: number[] = [];
for (let turn = 0; turn < windows; turn += 2) {
  alone.push(...(await window()));
  const ending = new AbortController();
  const attacks = hostile.map((code) => attack(code, ending.signal));
  beside.push(...(await window()));
  ending.abort();
  await Promise.all(attacks);
}
const p99Ms = [percentile(alone), percentile(beside)] as const;
const times = p99Ms[1] / p99Ms[0];
const rebuilt = neighbour.runner.status().rebuilds;
const left = quota.instances.taken - 1;
console.log(JSON.stringify({ runtime: thisRuntime, p99Ms, times, attacked, wrong, rebuilt, left }));
process.exitCode = wrong + rebuilt + left === 0 && times <= Number(values.times) ? 0 : 1;
