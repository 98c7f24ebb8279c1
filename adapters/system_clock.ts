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
    timer: (atMs, fn) => waitUntil(now, atMs, fn, { keepsAlive: false }),
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
    const timer = waitUntil(monotonic, monotonic() + ms, end, { keepsAlive: true });
    const abort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Calls `fn` when `time` has reached `at`: runtimes fire up to 1 ms early and know no long delays, so it looks again. */
function waitUntil(
  time: () => number,
  at: number,
  fn: () => void,
  options: { readonly keepsAlive: boolean },
): Timer {
  let handle: ReturnType<typeof setTimeout>;
  const arm = (): void => {
    const delay = Math.min(Math.max(at - time(), 0), longestDelayMs);
    handle = setTimeout(() => (time() >= at ? fn() : arm()), Math.ceil(delay));
    if (!options.keepsAlive) unref(handle);
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
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
