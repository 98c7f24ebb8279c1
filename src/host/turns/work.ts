import type { ActrError } from "../../errors.ts";

/** Work of an actor beside its turns (`spec/actor-host.md` §8.1). */
export type WorkKind =
  /** Raw HTTP. */
  | "http"
  /** What the actor said that it stays awake for. */
  | "keep_awake"
  /** What a stop waits for, and nothing else. */
  | "wait_until"
  /** `run`, unless it waits for a message. */
  | "run"
  /** Hooks of connections. */
  | "connection";

/** Kinds that keep an actor from falling asleep. */
const awake: readonly WorkKind[] = ["http", "keep_awake", "run", "connection"];

/** Who is told of the work of an actor. */
export interface WorkOwner {
  /** Some has ended. */
  activity(): void;
  /** Some came after the actor's end; told once. */
  workRefused(kind: WorkKind): void;
}

/** Counts the work of one actor, and tells of every end. */
export class Work {
  readonly #counts: Record<WorkKind, number> = {
    http: 0,
    keep_awake: 0,
    wait_until: 0,
    run: 0,
    connection: 0,
  };
  readonly #owner: WorkOwner;
  /** Aborted when nothing waits for it any more; made when work is begun with it. */
  #over: AbortController | undefined;
  /** Why no further work is counted. */
  #closed: ActrError | undefined;
  #hasRefused = false;

  constructor(owner: WorkOwner) {
    this.#owner = owner;
  }

  /** What goes on that keeps the actor awake. */
  get keepsAwake(): WorkKind | undefined {
    return awake.find((kind) => this.#counts[kind] > 0);
  }

  /** What goes on that a stop waits for. */
  get total(): number {
    let total = 0;
    for (const kind in this.#counts) total += this.#counts[kind as WorkKind];
    return total;
  }

  /** How much of each goes on. */
  all(): Readonly<Record<WorkKind, number>> {
    return { ...this.#counts };
  }

  count(kind: WorkKind): number {
    return this.#counts[kind];
  }

  begin(kind: WorkKind): void {
    this.#counts[kind] += 1;
  }

  end(kind: WorkKind): void {
    this.#counts[kind] -= 1;
    this.#owner.activity();
  }

  /** Nothing waits for its work any more: that is told so, and no further work is counted. */
  close(error: ActrError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#over?.abort(error);
  }

  /** Begins a piece of work, and counts it until it settles. @throws the reason of {@link Work.close}: then it is not begun. */
  async run<T>(kind: WorkKind, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) {
      this.#refuse(kind);
      throw this.#closed;
    }
    this.#over ??= new AbortController();
    const going = work(this.#over.signal);
    this.track(kind, going);
    return await going;
  }

  /** Counts a piece of work until it settles; its outcome is its owner's. */
  track(kind: WorkKind, work: Promise<unknown>): void {
    if (this.#closed !== undefined) return this.#refuse(kind);
    this.begin(kind);
    const end = (): void => this.end(kind);
    work.then(end, end);
  }

  #refuse(kind: WorkKind): void {
    if (this.#hasRefused) return;
    this.#hasRefused = true;
    this.#owner.workRefused(kind);
  }
}
