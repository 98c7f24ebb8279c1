/** A pending callback; `cancel` is idempotent and does nothing once the callback has run. */
export interface Timer {
  cancel(): void;
}

/** How long to sleep may be cut short. */
export interface SleepOptions {
  /** Rejects the sleep with the signal's reason. */
  readonly signal: AbortSignal;
}

/** The only source of time. Adapters supply the system's; tests supply a fake one that they advance. */
export interface Clock {
  /** Wall time, Unix milliseconds. May jump; use it for expiries and records. */
  now(): number;
  /** Milliseconds since an arbitrary start, never going back. Use it for durations. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted first. */
  sleep(ms: number, options: SleepOptions): Promise<void>;
  /** Calls `fn` once at `atMs` of {@link Clock.now}, at once (next turn) if that has passed. Never keeps a process alive by itself on system clocks that can help it. */
  timer(atMs: number, fn: () => void): Timer;
  /** Calls `fn` once, after the current turn of the event loop: the moment at which work of one turn is written together. */
  defer(fn: () => void): void;
}
