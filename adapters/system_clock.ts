import type { Clock, SleepOptions, Timer } from "../src/ports/clock.ts";

/** Longest delay that `setTimeout` takes, milliseconds; longer waits are chained. */
const longestDelayMs = 2 ** 31 - 1;

/** The system's time: `Date`, `performance` and the runtime's timers. Timers do not keep a process alive, sleeps do. */
export function systemClock(): Clock {
  const now = (): number => Date.now();
  const monotonic = (): number => performance.now();
  return {
    now,
    monotonic,
    sleep: (ms, options) => sleep(monotonic, ms, options),
    timer: (atMs, fn) => new SystemTimer(now, atMs, fn, false),
    defer: typeof setImmediate === "function" ? (fn) => void setImmediate(fn) : channelDefer(),
  };
}

function sleep(monotonic: () => number, ms: number, { signal }: SleepOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const end = (): void => {
      signal.removeEventListener("abort", abort);
      resolve();
    };
    const timer = new SystemTimer(monotonic, monotonic() + ms, end, true);
    const abort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Calls `fn` when `time` has reached `at`: runtimes fire up to 1 ms early and know no long delays, so it looks again. */
class SystemTimer implements Timer {
  readonly #time: () => number;
  readonly #at: number;
  readonly #fn: () => void;
  #handle: ReturnType<typeof setTimeout> | undefined;

  constructor(time: () => number, at: number, fn: () => void, keepsAlive: boolean) {
    this.#time = time;
    this.#at = at;
    this.#fn = fn;
    this.#arm(keepsAlive);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(keepsAlive: boolean): void {
    const delay = Math.min(Math.max(this.#at - this.#time(), 0), longestDelayMs);
    this.#handle = setTimeout(() => {
      if (this.#time() >= this.#at) this.#fn();
      else this.#arm(keepsAlive);
    }, Math.ceil(delay));
    if (!keepsAlive) unref(this.#handle);
  }
}

/** Timer handles are objects on Node and Bun (and Deno 2.9), plain numbers in browsers. */
function unref(handle: { unref?: () => unknown } | number): void {
  if (typeof handle === "object") handle.unref?.();
}

/** A turn of the event loop where `setImmediate` is missing: a message to oneself, which no browser delays. */
function channelDefer(): (fn: () => void) => void {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (fn) => {
    waiting.push(fn);
    port2.postMessage(null);
  };
}
