/** Serves actors, with a store in a file. */
import process from "node:process";
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { asPromise } from "../../../src/host/turns/command.ts";
import { defineNode } from "../../../src/mod.ts";
import { counter, fired, large, room, timer } from "../bench_actors.ts";
import { paced, stamped } from "../room.ts";
import { runtimeAdapter } from "../runtime.ts";
import { workerLoop, workerSetup } from "../worker_loop.ts";

/** One of these. */
interface Question {
  /** Puts all actors of this name to sleep. */
  readonly sleep?: string;
  /** Says 100 bytes so often. */
  readonly say?: { readonly perSecond: number; readonly ms: number };
  /** Sets so many alarms, each of an actor of its own, from `inMs` to `inMs + spreadMs` from now; returns when the last is due. */
  readonly alarms?: { readonly count: number; readonly inMs: number; readonly spreadMs: number };
  /** Waits until so many alarms have fired, and forgets them. */
  readonly fired?: { readonly count: number; readonly waitMs: number };
  readonly die?: true;
}

const { store } = workerSetup<{ readonly store: string }>();
const { serve } = await runtimeAdapter();
const served = await serve(defineNode({ actors: { counter, large, room, timer } }), {
  port: 0,
  hostname: "127.0.0.1",
  log: silentLogger(),
  webrtc: false,
  store,
});
const readyAt = Date.now();
const { actors: host } = served.node;

function act(
  name: string,
  key: string,
  action: string,
  args: readonly unknown[],
): Promise<unknown> {
  const target = { name, key: [key], create: { input: undefined } };
  return asPromise((answer) => host.act(target, { name: action, args, answer }));
}

async function sleep(name: string): Promise<null> {
  const all = await host.list(name, 10_000);
  await Promise.all(all.map(({ id }) => host.stop(id, "sleep")));
  return null;
}

async function setAlarms({
  count,
  inMs,
  spreadMs,
}: NonNullable<Question["alarms"]>): Promise<number> {
  const from = Date.now() + inMs;
  const dues = Array.from({ length: count }, (_, n) => Math.round(from + (spreadMs * n) / count));
  await Promise.all(dues.map((due, n) => act("timer", `${n}`, "set", [due])));
  return dues.at(-1) ?? from;
}

async function awaitFired({ count, waitMs }: NonNullable<Question["fired"]>): Promise<unknown> {
  const lastAt = Date.now() + waitMs;
  while (fired.length < count && Date.now() < lastAt) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const all = fired.splice(0);
  return { late: all.map(({ lateMs }) => lateMs), sinceReady: all.map(({ at }) => at - readyAt) };
}

async function ask({ sleep: name, say, alarms, fired: wanted, die }: Question): Promise<unknown> {
  if (die) process.kill(process.pid, "SIGKILL");
  if (name !== undefined) return await sleep(name);
  if (say !== undefined) {
    return await paced(say, () => void act("room", "all", "say", [stamped()]));
  }
  if (alarms !== undefined) return await setAlarms(alarms);
  return wanted && (await awaitFired(wanted));
}

const port = Number(new URL(served.url).port);
await workerLoop({ ready: { port }, ask, close: () => served.stop() });
