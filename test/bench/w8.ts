import { join } from "node:path";
import type { LoadPlan, LoadResult } from "./load.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import type { WorkerProcess } from "./worker_process.ts";

type Shape = Pick<LoadPlan, "inFlight" | "bytes">;

const shapes: readonly Shape[] = [64, 65_536].flatMap((bytes) =>
  [1, 64].map((inFlight) => ({ inFlight, bytes })),
);
const smallShapes = shapes.filter(({ bytes }) => bytes === 64);

/** Node-to-node calls over memory and WebSocket, volatile and durable. */
export async function w8(run: Run): Promise<void> {
  await memory(run);
  await websocket(run);
  await durable(run);
}

async function memory(run: Run): Promise<void> {
  const named = (shape: Shape): string => `memory ${nameOf(shape)}`;
  if (![...shapes.map(named), "memory typed"].some((name) => run.wants(name))) return;
  const { profile } = run.options;
  const pair = await run.start({ script: "workers/memory.ts", core: 1, profileTo: profile });
  for (const shape of shapes.filter((one) => run.wants(named(one)))) {
    await run.measure("W8", named(shape), loadOf(run, pair, { ...shape, kind: "call" }));
  }
  const typed = { inFlight: 64, bytes: 64 };
  const name = `memory typed ${nameOf(typed)}`;
  if (run.wants(name)) {
    await run.measure("W8", name, loadOf(run, pair, { ...typed, kind: "typed" }));
  }
}

async function websocket(run: Run): Promise<void> {
  const named = (shape: Shape): string => `websocket ${nameOf(shape)}`;
  const wanted = shapes.filter((shape) => run.wants(named(shape)));
  if (wanted.length === 0) return;
  const caller = await startPair(run, {});
  const server = await run.start<{ port: number }>({ script: "workers/raw_server.ts", core: 0 });
  const { ready: setup } = server;
  const client = await run.start({ script: "workers/raw_client.ts", core: 1, setup });
  for (const shape of wanted) {
    await run.measure("W8", named(shape), loadOf(run, caller, shape), loadOf(run, client, shape));
  }
}

async function durable(run: Run): Promise<void> {
  const named = (way: string, shape: Shape): string => `${way} durable ${nameOf(shape)}`;
  const wanted = (way: string): Shape[] =>
    smallShapes.filter((shape) => run.wants(named(way, shape)));
  if (wanted("memory").length + wanted("websocket").length === 0) return;
  const options = { inbound: { durableCalls: true } };
  const folder = run.folder();
  const setup = { store: `file:${join(folder, "memory.db")}`, options };
  const pair = await run.start({ script: "workers/memory.ts", core: 1, setup });
  const caller = await startPair(run, { store: `file:${join(folder, "websocket.db")}`, options });
  const raw = await run.start({
    script: "workers/raw_mailbox.ts",
    core: 0,
    setup: { file: join(folder, "raw.db") },
  });
  const ways = [
    ["memory", pair],
    ["websocket", caller],
  ] as const;
  for (const [way, process] of ways) {
    for (const shape of wanted(way)) {
      const ours = loadOf(run, process, { ...shape, kind: "call" });
      await run.measure("W8", named(way, shape), ours, loadOf(run, raw, shape));
    }
  }
}

/** The echo node on one core, its caller on another. */
async function startPair(run: Run, setup: unknown): Promise<WorkerProcess> {
  const { profile } = run.options;
  const script = "workers/callee.ts";
  const callee = await run.start({ script, core: 0, setup, profileTo: profile });
  const identity = callee.ready;
  return run.start({ script: "workers/caller.ts", core: 1, setup: identity, profileTo: profile });
}

function nameOf({ inFlight, bytes }: Shape): string {
  return `${inFlight}x${bytes < 1024 ? `${bytes}B` : `${bytes / 1024}KB`}`;
}

/** Asks a process for one load; the bytes of a call count once for each way. */
export function loadOf(
  run: Run,
  worker: WorkerProcess,
  shape: Shape & { readonly kind?: string },
): (warmUp: boolean) => Promise<Figures> {
  return async (warmUp) => {
    const question = { ...shape, ...run.plan(shape, warmUp) };
    const { p50, p99, perSecond } = await worker.ask<LoadResult>(question);
    const moved = (perSecond * shape.bytes * 2) / 1e6;
    return { p50, p99, per_second: perSecond, mb_per_second: moved };
  };
}
