import process from "node:process";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { takeBallast } from "./ballast.ts";

/** How much a heap may grow until all of it is collected again, bytes: 1,000 messages of 64 KB, and their garbage. */
const growthBytes = 67_108_864;

/** What that is at most of the smallest heaps, percent of what they hold. */
const maxPercent = 300;

/** Where V8 is left to itself: a growth chosen by how much there is would cost more memory than it saves time. */
const largeBytes = 134_217_728;

const flag = "--heap-growing-percent";

/** Tells when all has been collected: nothing less finds out what nobody holds. */
let collections: FinalizationRegistry<undefined> | undefined;

/**
 * Has V8 collect all of a small heap less often. The library puts each message into a buffer outside V8's heap, and V8
 * by itself lets a heap of 16 MB grow by no more than 8 MB with them: at 40 MB a second it would mark everything several
 * times a second, 10 to 20 ms each time, for buffers that the next collection of young objects frees. Costs about 64 MB
 * of memory. On Node it is a setting, for all threads of the process, and not made where Node was started with a
 * `--heap-growing-percent` of its own; Deno fixes V8's settings when it starts, so {@link takeBallast} helps there; Bun
 * is not V8. Idempotent.
 */
export function letHeapGrow(): void {
  const { bun, deno } = process.versions;
  if (bun !== undefined) return;
  if (deno !== undefined) takeBallast();
  else setGrowth();
}

/** By how many percent a heap that holds `bytes` may grow; 0 leaves it to V8. */
export function growthPercent(bytes: number): number {
  if (bytes >= largeBytes) return 0;
  return Math.min(maxPercent, Math.round((growthBytes / bytes) * 100));
}

function setGrowth(): void {
  if (collections !== undefined) return;
  if (process.execArgv.some((argument) => argument.replaceAll("_", "-").startsWith(flag))) return;
  collections = new FinalizationRegistry(adjust);
  adjust();
}

function adjust(): void {
  collections?.register({}, undefined);
  setFlagsFromString(`${flag}=${growthPercent(getHeapStatistics().used_heap_size)}`);
}
