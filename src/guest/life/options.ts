import { ActrError } from "../../errors.ts";
import type { GuestLimits } from "../../ports/guest_host.ts";

/** What one guest may use, and for how long (`spec/guest.md` §15, §19). */
export interface GuestOptions extends GuestLimits {
  /** How long an entry may run before its caller is answered `timed_out` and the instance is discarded, milliseconds. @default 5000 */
  readonly entryTimeoutMs: number;
  /** The same for observation hooks, which wait in the same line as calls. @default 1000, or `entryTimeoutMs` if that is less */
  readonly hookTimeoutMs: number;
  /** How long checking and compiling may take, milliseconds. @default 30000 */
  readonly loadTimeoutMs: number;
  /** How long a new instance may take, milliseconds. @default 5000 */
  readonly instantiateTimeoutMs: number;
  /** Entries that wait before `overloaded` is answered; hooks count apart. @default 64 */
  readonly maxQueued: number;
  /** Hooks that wait before the oldest of them is dropped. @default 32 */
  readonly maxQueuedHooks: number;
  /** Entries that are in flight together at most. @default 64 */
  readonly maxRunning: number;
  /** Calls of one instance to the node that wait for an answer before `unavailable` is answered. @default 256 */
  readonly maxHostCalls: number;
  /** New instances in a minute, after faults, before entries are refused with `unavailable`. @default 10 */
  readonly maxRebuildsPerMinute: number;
  /** Pause before the third new instance in a minute, milliseconds; doubles for each further one. @default 100 */
  readonly rebuildPauseMs: number;
  /** Lines of log in a second; more are dropped and counted. @default 100 */
  readonly logLinesPerSecond: number;
  /** Longest line of log, bytes of UTF-8; the rest is cut off. @default 8192 */
  readonly logLineBytes: number;
}

const mebibyte = 1024 * 1024;

/** The default of every option of a guest. */
export const defaultGuestOptions: GuestOptions = {
  fuel: 50_000_000,
  memoryBytes: 64 * mebibyte,
  tableElements: 10_000,
  stackBytes: mebibyte / 4,
  codeBytes: 64 * mebibyte,
  entryTimeoutMs: 5000,
  hookTimeoutMs: 1000,
  loadTimeoutMs: 30_000,
  instantiateTimeoutMs: 5000,
  maxQueued: 64,
  maxQueuedHooks: 32,
  maxRunning: 64,
  maxHostCalls: 256,
  maxRebuildsPerMinute: 10,
  rebuildPauseMs: 100,
  logLinesPerSecond: 100,
  logLineBytes: 8192,
};

/** Fills in defaults and checks every value once. @throws ActrError `config` naming the option, its value and what it may be. */
export function resolveGuestOptions(input: Partial<GuestOptions> = {}): GuestOptions {
  const { entryTimeoutMs: longestMs = defaultGuestOptions.entryTimeoutMs } = input;
  const hookMs = Math.min(defaultGuestOptions.hookTimeoutMs, longestMs);
  const options = withDefaults({ ...defaultGuestOptions, hookTimeoutMs: hookMs }, input);
  requireWholeNumbers("guest", options);
  const { hookTimeoutMs, entryTimeoutMs } = options;
  if (hookTimeoutMs > entryTimeoutMs) {
    throw unfit("guest.hookTimeoutMs", hookTimeoutMs, `at most entryTimeoutMs, ${entryTimeoutMs}`);
  }
  return options;
}

/** `input` over `defaults`; what is undefined takes the default. */
export function withDefaults<Options extends object>(
  defaults: Options,
  input: Partial<Options>,
): Options {
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** Every option has to be a whole number of at least 1. @throws ActrError `config`. */
export function requireWholeNumbers(group: string, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw unfit(`${group}.${name}`, value, "a whole number of at least 1");
  }
}

/** The error of an option that cannot be. */
export function unfit(option: string, value: unknown, may: string): ActrError {
  return new ActrError("config", `${option} is ${String(value)}; it must be ${may}`, {
    details: { option, value },
  });
}
