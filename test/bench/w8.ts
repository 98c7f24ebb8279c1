import { join } from "node:path";
import type { LaunchOptions } from "./launch.ts";
import type { LoadPlan, LoadResult } from "./load.ts";
import type { Figures } from "./rounds.ts";
import type { Run } from "./run.ts";
import { type StageTimes, stages } from "./stages.ts";
import type { WorkerProcess } from "./worker_process.ts";

/** Nodes run as the package is built, and so does what they are held against. */
const built = true;

type Shape = Pick<LoadPlan, "inFlight" | "bytes">;

const sizes = [64, 65_536];
const shapes: readonly Shape[] = sizes.flatMap((bytes) =>
  [1, 64].map((inFlight) => ({ inFlight, bytes })),
);
/** How much longer rounds over WebRTC are: a thousand calls a second are compiled late, and a lost packet holds everything up for half a second. */
const webrtcTimes = 4;
/** How long processes are sampled: some thousand samples, milliseconds. */
const stagesMs = 3_000;

const smallShapes = shapes.filter(({ bytes }) => bytes === 64);

/** Node-to-node calls over memory, WebSocket and WebRTC, volatile and durable, and streams. */
export async function w8(run: Run): Promise<void> {
  await memory(run);
  await observed(run);
  await websocket(run);
  await firstCalls(run);
  await webrtc(run);
  await durable(run);
  await streams(run);
  await stagesOfCalls(run);
}

async function memory(run: Run): Promise<void> {
  const named = (shape: Shape): string => `memory ${nameOf(shape)}`;
  if (![...shapes.map(named), "memory typed"].some((name) => run.wants(name))) return;
  const { profile } = run.options;
  const pair = await run.start({ script: "workers/memory.ts", built, core: 1, profileTo: profile });
  for (const shape of shapes.filter((one) => run.wants(named(one)))) {
    await run.measure("W8", named(shape), loadOf(run, pair, { ...shape, kind: "call" }));
  }
  const typed = { inFlight: 64, bytes: 64 };
  const name = `memory typed ${nameOf(typed)}`;
  if (run.wants(name)) {
    await run.measure("W8", name, loadOf(run, pair, { ...typed, kind: "typed" }));
  }
}

/** What it costs to log and trace everything, against the same without. */
async function observed(run: Run): Promise<void> {
  const shape = { inFlight: 64, bytes: 64, kind: "call" };
  const name = `memory observed ${nameOf(shape)}`;
  if (!run.wants(name)) return;
  const start = (observed: boolean): Promise<WorkerProcess> =>
    run.start({ script: "workers/memory.ts", built, core: 1, setup: { observed } });
  const [watched, plain] = [await start(true), await start(false)];
  await run.measure("W8", name, loadOf(run, watched, shape), loadOf(run, plain, shape));
}

async function websocket(run: Run): Promise<void> {
  const named = (shape: Shape): string => `websocket ${nameOf(shape)}`;
  const wanted = shapes.filter((shape) => run.wants(named(shape)));
  if (wanted.length === 0) return;
  const caller = await startPair(run, {});
  const client = await startRawPair(run);
  for (const shape of wanted) {
    await run.measure("W8", named(shape), loadOf(run, caller, shape), loadOf(run, client, shape));
  }
}

/** What the first call to a peer takes that nobody knew before. */
async function firstCalls(run: Run): Promise<void> {
  const name = "websocket first call";
  if (!run.wants(name)) return;
  const { calling } = await startTwo(run, ["callee", "first_calls"], { built });
  const load = loadOf(run, calling, { inFlight: 1, bytes: 64 });
  await run.measure("W8", name, async (warmUp) => {
    // A rate would count how long each node takes to start.
    const { p50, p99 } = await load(warmUp);
    return { p50, p99 } as Figures;
  });
}

/** Calls and streams over `@roamhq/wrtc`, against a bare data channel of it. */
async function webrtc(run: Run): Promise<void> {
  const calls = shapes.filter((shape) => run.wants(`webrtc ${nameOf(shape)}`));
  const chunks = sizes.filter((bytes) => run.wants(`webrtc stream ${sizeOf(bytes)}`));
  if (calls.length + chunks.length === 0) return;
  const caller = await startPair(run, { webrtc: true });
  const client = await startRawChannel(run);
  for (const shape of calls) {
    const [ours, bare] = [caller, client].map((side) => loadOf(run, side, longer(shape)));
    if (ours !== undefined) await run.measure("W8", `webrtc ${nameOf(shape)}`, ours, bare);
  }
  for (const bytes of chunks) {
    const plan = longer(streamPlan(bytes));
    const [ours, bare] = [caller, client].map((side) => loadOf(run, side, plan));
    if (ours !== undefined) await run.measure("W8", `webrtc stream ${sizeOf(bytes)}`, ours, bare);
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
  const pair = await run.start({ script: "workers/memory.ts", built, core: 1, setup });
  const caller = await startPair(run, { store: `file:${join(folder, "websocket.db")}`, options });
  const raw = await run.start({
    script: "workers/raw_mailbox.ts",
    built,
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

async function streams(run: Run): Promise<void> {
  const named = (way: string, bytes: number): string => `${way} stream ${sizeOf(bytes)}`;
  const wanted = (way: string): number[] => sizes.filter((bytes) => run.wants(named(way, bytes)));
  if (wanted("memory").length > 0) {
    const { profile } = run.options;
    const pair = await run.start({
      script: "workers/memory.ts",
      built,
      core: 1,
      profileTo: profile,
    });
    for (const bytes of wanted("memory")) {
      await run.measure("W8", named("memory", bytes), loadOf(run, pair, streamPlan(bytes)));
    }
  }
  if (wanted("websocket").length === 0) return;
  const caller = await startPair(run, {});
  const client = await startRawPair(run);
  for (const bytes of wanted("websocket")) {
    const ours = loadOf(run, caller, streamPlan(bytes));
    await run.measure(
      "W8",
      named("websocket", bytes),
      ours,
      loadOf(run, client, streamPlan(bytes)),
    );
  }
}

/** Where the time of a call goes, by sampling both processes while they are at work. */
async function stagesOfCalls(run: Run): Promise<void> {
  const named = (shape: Shape): string => `websocket stages ${nameOf(shape)}`;
  const wanted = smallShapes.filter((shape) => run.wants(named(shape)));
  if (wanted.length === 0) return;
  if (!run.runtime.startsWith("node")) {
    return run.skip("websocket stages", "only Node's profiler can be asked from within");
  }
  // A stage is known by its file, of which the built package has but few.
  const ours = await startTwo(run, ["callee", "caller"], { built: false });
  const raw = await startTwo(run, ["raw_server", "raw_client"], { built: false });
  for (const shape of wanted) {
    const bare = await sample(run, shape, raw);
    tellStages(run, named(shape), await sample(run, shape, ours), bare);
  }
}

interface Sides<T> {
  readonly calling: T;
  readonly serving: T;
}

interface Sampled {
  /** Microseconds that a call took meanwhile, slowed by the sampling. */
  readonly p50: number;
  /** Microseconds of processor time for one call. */
  readonly times: Sides<StageTimes>;
}

/** Samples both sides of a load. */
async function sample(run: Run, shape: Shape, sides: Sides<WorkerProcess>): Promise<Sampled> {
  const { calling, serving } = sides;
  await calling.ask({ ...shape, ...run.plan(shape, true) });
  for (const side of [calling, serving]) await side.ask({ profile: "start" });
  const { calls, p50 } = await calling.ask<LoadResult>({ ...shape, ms: stagesMs });
  const timesOf = async (side: WorkerProcess): Promise<StageTimes> => {
    const times = await side.ask<StageTimes>({ profile: "stop" });
    const each = Object.entries(times).map(([stage, us]) => [stage, us / calls]);
    return Object.fromEntries(each) as StageTimes;
  };
  return { p50, times: { calling: await timesOf(calling), serving: await timesOf(serving) } };
}

/** Stage by stage on each side; the sums against those of a bare echo, but for the load generators. */
function tellStages(run: Run, name: string, { p50, times }: Sampled, bare: Sampled): void {
  run.count("W8", name, "p50", p50, bare.p50);
  for (const side of ["calling", "serving"] as const) {
    for (const stage of stages) {
      const us = times[side][stage];
      if (us > 0) run.count("W8", name, `${side}_${stage}_us`, us, null);
    }
    run.count("W8", name, `${side}_all_us`, sumOf(times[side]), sumOf(bare.times[side]));
  }
}

function sumOf({ load: _load, ...times }: StageTimes): number {
  return Object.values(times).reduce((total, time) => total + time, 0);
}

/** A bare echo server on one core, its client on another. */
async function startRawPair(run: Run): Promise<WorkerProcess> {
  return (await startTwo(run, ["raw_server", "raw_client"], { built })).calling;
}

/** Who serves on one core, then who calls on another, which is told where. */
async function startTwo(
  run: Run,
  [serving, calling]: readonly [string, string],
  options: Pick<LaunchOptions, "built" | "setup" | "profileTo">,
): Promise<Sides<WorkerProcess>> {
  const server = await run.start({ script: `workers/${serving}.ts`, core: 0, ...options });
  const told = { ...options, setup: server.ready };
  const caller = await run.start({ script: `workers/${calling}.ts`, core: 1, ...told });
  return { serving: server, calling: caller };
}

/** A bare data channel whose echo is on one core, its client on another. */
async function startRawChannel(run: Run): Promise<WorkerProcess> {
  const script = "workers/raw_channel.ts";
  const client = await run.start<{ sdp: string }>({ script, built, core: 1 });
  const setup = { offer: client.ready.sdp };
  const server = await run.start<{ sdp: string }>({ script, built, core: 0, setup });
  await client.ask({ answer: server.ready.sdp });
  return client;
}

/** The echo node on one core, its caller on another. */
async function startPair(run: Run, setup: unknown): Promise<WorkerProcess> {
  const { profile: profileTo } = run.options;
  return (await startTwo(run, ["callee", "caller"], { built, setup, profileTo })).calling;
}

/** One-way chunks: their bytes count once. */
function streamPlan(bytes: number): {
  bytes: number;
  inFlight: number;
  kind: string;
  ways: number;
} {
  return { bytes, inFlight: 1, kind: "stream", ways: 1 };
}

function longer<P>(plan: P): P & { readonly times: number } {
  return { ...plan, times: webrtcTimes };
}

function nameOf({ inFlight, bytes }: Shape): string {
  return `${inFlight}x${sizeOf(bytes)}`;
}

function sizeOf(bytes: number): string {
  return bytes < 1024 ? `${bytes}B` : `${bytes / 1024}KB`;
}

/** A load: the bytes of a message count once for each way, two unless `ways` says otherwise; it lasts `times` as long as others. */
export interface Load extends Shape {
  readonly kind?: string;
  readonly ways?: number;
  readonly times?: number;
}

/** Asks a process for one load. */
export function loadOf(
  run: Run,
  worker: WorkerProcess,
  { ways = 2, times = 1, ...shape }: Load,
): (warmUp: boolean) => Promise<Figures> {
  return async (warmUp) => {
    const plan = run.plan(shape, warmUp);
    const question = { ...shape, ...plan, ms: plan.ms * times };
    const { p50, p99, perSecond } = await worker.ask<LoadResult>(question);
    const moved = (perSecond * shape.bytes * ways) / 1e6;
    return { p50, p99, per_second: perSecond, mb_per_second: moved };
  };
}
