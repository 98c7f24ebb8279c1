import { stat } from "node:fs/promises";
import { databaseOptions } from "../../adapters/serve/foundation.ts";
import { filePath, openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import { abortAfter } from "../time_limit.ts";
import type { StoreSettings } from "./settings/settings.ts";

/** Longest wait for a store to open, milliseconds. */
const openLimitMs = 30_000;

/** An open store, and what it was opened with. */
export interface StoreAtRest {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Opens a store that no process serves, does `work` and closes it.
 * @throws ActrError `storage` when a node has it, at once: nobody waits for a lease here. What `work` throws.
 */
export async function withStore<Result>(
  url: string,
  settings: StoreSettings,
  work: (parts: StoreAtRest) => Promise<Result>,
): Promise<Result> {
  const clock = systemClock();
  const random = systemRandom();
  const limit = abortAfter(clock, openLimitMs);
  try {
    const options = { clock, random, leaseWaitMs: 0, ...databaseOptions(settings) };
    await using store = await openStore(url, options, limit.signal);
    limit.cancel();
    return await work({ store, clock, random });
  } finally {
    limit.cancel();
  }
}

/** Whether a store is a file that is not there. */
export async function isMissing(url: string): Promise<boolean> {
  if (!url.startsWith("file:")) return false;
  return (await stat(filePath(url)).catch(() => undefined)) === undefined;
}

/** Makes sure that opening a store makes no new one. @throws ActrError `not_found`. */
export async function requireStore(url: string): Promise<void> {
  if (!(await isMissing(url))) return;
  throw new ActrError("not_found", `there is no store at ${filePath(url)}; name the file of one`);
}
