import type { GuestEntry, Invocation } from "../../ports/guest_host.ts";
import type { ActrId } from "../../protocol/ids.ts";

/** How an entry may be run. */
export interface EnterOptions {
  /** Whether it may be in flight together with others that say so; else it waits until the guest is idle, and runs alone. */
  readonly overlaps: boolean;
  /** Whether a request that runs may be waiting for it: then it passes what waits for the guest to be idle. @default false */
  readonly nested?: boolean;
  /** Takes the entry out of the line with the signal's reason; one that runs is let finish. */
  readonly signal?: AbortSignal;
  /** A shorter deadline than that of the guest's options, milliseconds from entering the guest. */
  readonly timeoutMs?: number;
}

/** For whom a guest is entered. */
export type EntryContext = Omit<Invocation, "token">;

/** Whether an entry only tells of something: nobody waits for it, so it has a short deadline and may be dropped. */
export function isHook({ name }: GuestEntry): boolean {
  switch (name) {
    case "dispatch":
    case "on-start":
    case "on-ready":
    case "on-stop":
    case "on-data-chunk":
      return false;
    default:
      return true;
  }
}

/** Told once, when an entry has ended; `error` is why it failed. */
export type Settled<Scope> = (entry: LiveEntry<Scope>, error?: unknown) => void;

/** One entry into a guest, from the asking to the end. */
export class LiveEntry<Scope> {
  readonly entry: GuestEntry;
  readonly context: EntryContext;
  readonly scope: Scope;
  readonly overlaps: boolean;
  readonly timeoutMs: number;
  readonly isHook: boolean;
  /** How it ended. */
  readonly ended: Promise<Uint8Array | undefined>;
  /** Its token in the guest's calls; 0 until it runs. */
  token: bigint = 0n;
  /** When its time is up, milliseconds of the clock's monotonic time. */
  expiresAt: number = Number.POSITIVE_INFINITY;
  readonly #settled: Settled<Scope>;
  #over = false;
  #resolve: (value: Uint8Array | undefined) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #unwatch: (() => void) | undefined;

  constructor(
    entry: GuestEntry,
    context: EntryContext,
    scope: Scope,
    { overlaps, timeoutMs }: { readonly overlaps: boolean; readonly timeoutMs: number },
    settled: Settled<Scope>,
  ) {
    this.entry = entry;
    this.context = context;
    this.scope = scope;
    this.overlaps = overlaps;
    this.timeoutMs = timeoutMs;
    this.isHook = isHook(entry);
    this.#settled = settled;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get name(): GuestEntry["name"] {
    return this.entry.name;
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.#over;
  }

  get selfId(): ActrId {
    return this.context.selfId;
  }

  /** The stream whose chunk is handled, if that is what the guest was entered for. */
  get streamId(): string | undefined {
    return this.entry.name === "on-data-chunk" ? this.entry.chunk.streamId : undefined;
  }

  /** While it waits, it may leave the line. */
  watch(signal: AbortSignal, leave: () => void): void {
    signal.addEventListener("abort", leave, { once: true });
    this.#unwatch = () => signal.removeEventListener("abort", leave);
  }

  /** It waits no longer. */
  unwatch(): void {
    this.#unwatch?.();
  }

  /** Ends it well. */
  resolve(value: Uint8Array | undefined): void {
    this.#over = true;
    this.#settled(this);
    this.#resolve(value);
  }

  /** Ends it with an error; a hook ends all the same, since nobody asked for it. */
  fail(error: unknown): void {
    this.#over = true;
    this.#settled(this, error);
    if (this.isHook) this.#resolve(undefined);
    else this.#reject(error);
  }
}
