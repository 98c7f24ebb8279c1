/**
 * Helpers for asynchronous tasks with the names, signatures and semantics of `@std/async` 1.x,
 * imported as `#async`. Where JSR can be reached, one line of `deno.json` puts the original in
 * its place; that is why this module alone may use timers and chance without asking a port.
 */

/** Settings of {@linkcode delay}. */
export interface DelayOptions {
  /** Ends the wait early: the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Whether the pending timer keeps the process alive. @default true */
  persistent?: boolean;
}

/** Resolves after `ms` milliseconds, of any length; rejects with the reason of an aborted signal. */
export function delay(ms: number, options: DelayOptions = {}): Promise<void> {
  const { signal, persistent = true } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = startTimer(ms, persistent, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    const abort = (): void => {
      stop();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}

// Runtimes fire a timer beyond 2^31 - 1 ms at once, so a longer one is walked in steps.
const longestStepMs = 2 ** 31 - 1;

/** Calls `fire` once after `ms`; the function returned prevents it. */
function startTimer(ms: number, persistent: boolean, fire: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const step = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, longestStepMs);
    timer = setTimeout(() => (leftMs > stepMs ? step(leftMs - stepMs) : fire()), stepMs);
    if (!persistent) release(timer);
  };
  step(Math.max(0, Math.trunc(ms) || 0));
  return () => clearTimeout(timer);
}

interface DenoTimers {
  readonly Deno?: { unrefTimer(id: number): void };
}

/** Lets the process end while the timer runs: Node and Bun ask the timer, Deno the runtime. */
function release(timer: unknown): void {
  if (typeof timer === "number") (globalThis as DenoTimers).Deno?.unrefTimer(timer);
  else (timer as { unref?(): void }).unref?.();
}

/** Rejects with the reason of `signal` once it aborts, whatever becomes of the promise. */
export function abortable<T>(p: Promise<T>, signal: AbortSignal): Promise<T>;
/** Passes values on until `signal` aborts, then throws its reason. */
export function abortable<T>(p: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T>;
export function abortable<T>(
  p: Promise<T> | AsyncIterable<T>,
  signal: AbortSignal,
): Promise<T> | AsyncGenerator<T> {
  return Symbol.asyncIterator in p ? abortableIterable(p, signal) : abortablePromise(p, signal);
}

async function abortablePromise<T>(p: Promise<T>, signal: AbortSignal): Promise<T> {
  // Nobody waits for it any more: that it fails must not end the process.
  if (signal.aborted) p.catch(() => {});
  signal.throwIfAborted();
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted, p]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function* abortableIterable<T>(p: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  const source = p[Symbol.asyncIterator]();
  let exhausted = false;
  try {
    for (;;) {
      const { done, value } = await abortablePromise(source.next(), signal);
      exhausted = done === true;
      if (exhausted) return;
      yield value;
    }
  } finally {
    // Not awaited: a generator stuck in its next() would hold the abort back for ever.
    if (!exhausted) void source.return?.().then(undefined, () => {});
  }
}

/** Settings of {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Ends the wait early: the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Rejects with a `TimeoutError` (`DOMException`) unless the promise settles within `ms`. */
export async function deadline<T>(
  p: Promise<T>,
  ms: number,
  options: DeadlineOptions = {},
): Promise<T> {
  const timeout = new AbortController();
  const expire = (): void => timeout.abort(new DOMException("Signal timed out.", "TimeoutError"));
  const stop = startTimer(ms, true, expire);
  const signals = options.signal ? [timeout.signal, options.signal] : [timeout.signal];
  try {
    return await abortable(p, AbortSignal.any(signals));
  } finally {
    stop();
  }
}

/** What {@linkcode retry} throws when the attempts are spent; `cause` is the last failure. */
export class RetryError extends Error {
  constructor(cause: unknown, attempts: number) {
    super(`Retrying exceeded the maxAttempts (${attempts}).`, { cause });
    this.name = "RetryError";
  }
}

/** Settings of {@linkcode retry}; times in milliseconds. */
export interface RetryOptions {
  /** Growth of the wait from one attempt to the next. @default 2 */
  multiplier?: number;
  /** Longest wait. @default 60000 */
  maxTimeout?: number;
  /** Calls in all, the first one included. @default 5 */
  maxAttempts?: number;
  /** First wait. @default 1000 */
  minTimeout?: number;
  /** Share of a wait left to chance: 0 waits it out, 1 takes anything between 0 and it. @default 1 */
  jitter?: number;
  /** Whether a failure deserves another attempt; else it is thrown as it is. @default always */
  isRetriable?: (err: unknown) => boolean;
}

const retryDefaults = {
  multiplier: 2,
  maxTimeout: 60_000,
  maxAttempts: 5,
  minTimeout: 1_000,
  jitter: 1,
  isRetriable: (_: unknown): boolean => true,
};

/**
 * Calls `fn` until it succeeds, with exponential backoff and jitter between attempts. Throws a
 * {@linkcode RetryError} when `maxAttempts` have failed, a `RangeError` for impossible options.
 */
export async function retry<T>(
  fn: (() => Promise<T>) | (() => T),
  options: RetryOptions = {},
): Promise<T> {
  const o = { ...retryDefaults, ...options };
  checkRetry(o);
  for (let attempt = 0; ; attempt++) {
    try {
      return await fn();
    } catch (error) {
      if (!o.isRetriable(error)) throw error;
      if (attempt + 1 >= o.maxAttempts) throw new RetryError(error, o.maxAttempts);
      const backoffMs = Math.min(o.maxTimeout, o.minTimeout * o.multiplier ** attempt);
      await delay(backoffMs * (1 - o.jitter * Math.random()));
    }
  }
}

function checkRetry(o: typeof retryDefaults): void {
  const demand = (holds: boolean, rule: string): void => {
    if (!holds) throw new RangeError(`Cannot retry: ${rule}.`);
  };
  const { maxAttempts, multiplier, minTimeout, maxTimeout, jitter } = o;
  demand(
    Number.isInteger(maxAttempts) && maxAttempts >= 1,
    `maxAttempts ${maxAttempts} is not a whole number of at least 1`,
  );
  demand(
    Number.isFinite(multiplier) && multiplier >= 1,
    `multiplier ${multiplier} is not a finite number of at least 1`,
  );
  demand(maxTimeout > 0, `maxTimeout ${maxTimeout} is not above 0`);
  demand(minTimeout >= 0, `minTimeout ${minTimeout} is not at least 0`);
  demand(minTimeout <= maxTimeout, `minTimeout ${minTimeout} is above maxTimeout ${maxTimeout}`);
  demand(jitter >= 0 && jitter <= 1, `jitter ${jitter} is not within 0 and 1`);
}

/** A function whose call waits until the calls have paused. */
export interface DebouncedFunction<T extends Array<unknown>> {
  (...args: T): void;
  /** Forgets the waiting call. */
  clear(): void;
  /** Makes the waiting call now. */
  flush(): void;
  /** Whether a call is waiting. */
  readonly pending: boolean;
}

/** Delays `fn` by `wait` milliseconds; a call within them takes the place of the waiting one. */
export function debounce<T extends Array<unknown>>(
  fn: (this: DebouncedFunction<T>, ...args: T) => void,
  wait: number,
): DebouncedFunction<T> {
  let waiting: { readonly stop: () => void; readonly call: () => void } | undefined;
  const clear = (): void => {
    waiting?.stop();
    waiting = undefined;
  };
  const flush = (): void => waiting?.call();
  const schedule = (...args: T): void => {
    clear();
    const call = (): void => {
      clear();
      fn.apply(debounced, args);
    };
    waiting = { stop: startTimer(wait, true, call), call };
  };
  const debounced = Object.assign(schedule, { clear, flush }) as DebouncedFunction<T>;
  Object.defineProperty(debounced, "pending", { get: () => waiting !== undefined });
  return debounced;
}

/** The message of the `AggregateError` that {@linkcode pooledMap} throws. */
export const ERROR_WHILE_MAPPING_MESSAGE = "Threw while mapping.";

/**
 * Maps values with at most `poolLimit` calls of `iteratorFn` at a time and yields the results in
 * the order of the input. After a failure no call begins; those under way are still yielded, and
 * then all failures are thrown in one `AggregateError`.
 */
export function pooledMap<T, R>(
  poolLimit: number,
  array: Iterable<T> | AsyncIterable<T>,
  iteratorFn: (data: T) => Promise<R>,
): AsyncIterableIterator<R> {
  const pool = new Pool(poolLimit, iteratorFn);
  void pool.run(array);
  return pool.results();
}

class Pool<T, R> {
  readonly #limit: number;
  readonly #map: (data: T) => Promise<R>;
  readonly #started: Promise<R>[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  #finished = false;
  #wake: () => void = () => {};

  constructor(limit: number, map: (data: T) => Promise<R>) {
    this.#limit = limit;
    this.#map = map;
  }

  async run(values: Iterable<T> | AsyncIterable<T>): Promise<void> {
    try {
      for await (const value of values) {
        this.#start(value);
        if (this.#running.size >= this.#limit) await Promise.race(this.#running);
        if (this.#failures.length > 0) break;
      }
    } catch (error) {
      this.#failures.push(error);
    }
    await Promise.all(this.#running);
    this.#finished = true;
    this.#wake();
  }

  #start(value: T): void {
    const result = Promise.resolve(value).then(this.#map);
    const settled = result
      .then(undefined, (error: unknown) => void this.#failures.push(error))
      .then(() => void this.#running.delete(settled));
    this.#running.add(settled);
    this.#started.push(result);
    this.#wake();
  }

  async *results(): AsyncGenerator<R, void, undefined> {
    for (;;) {
      const next = this.#started.shift();
      if (next)
        yield* await next.then(
          (value) => [value],
          () => [],
        );
      else if (this.#finished) break;
      else await this.#moved();
    }
    if (this.#failures.length > 0) {
      throw new AggregateError(this.#failures, ERROR_WHILE_MAPPING_MESSAGE);
    }
  }

  #moved(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
