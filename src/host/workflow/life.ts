import type { Clock } from "../../ports/clock.ts";
import type { StepPolicy, WorkflowContext } from "../../workflow.ts";
import type { Instance } from "../instance.ts";
import type { Journal } from "./journal.ts";
import type { Place } from "./rows.ts";
import { Strand, type StrandOwner } from "./strand.ts";

/** How a step is undone. */
export interface Undo extends StepPolicy {
  readonly run: (c: never, output: unknown) => unknown;
}

/** One place of a workflow, open to its code. */
export interface OpenScope extends WorkflowContext {
  /** Its code has ended. Where the history of its place goes on, or nothing counts of it any more, that never resolves. */
  ended(): Promise<void>;
}

/** Opens a place of a workflow to the code of a strand. */
export type ScopeOpener = (life: Life, strand: Strand, place: Place) => OpenScope;

/** Who began a life. */
export interface LifeOwner {
  /** Nothing of it goes on but what somebody has to come for: a time, or a message. */
  rests(wakesAt: number | undefined): void;
  goesOn(): void;
  /** The code cannot go on: it does not fit the history, or misuses the workflow. */
  halted(error: unknown): void;
}

/** One run of a workflow's code over its history, from a start of its actor, or a replay, until its end. */
export class Life implements StrandOwner {
  readonly instance: Instance;
  readonly journal: Journal;
  readonly root: Strand;
  /** How steps are undone that this life has passed, by their numbers. */
  readonly undo: Map<number, Undo> = new Map();
  readonly #opener: ScopeOpener;
  readonly #owner: LifeOwner;
  readonly #over = new AbortController();
  #rests = false;
  #running = 0;
  #onQuiet: () => void = () => {};

  constructor(instance: Instance, journal: Journal, opener: ScopeOpener, owner: LifeOwner) {
    this.#opener = opener;
    this.instance = instance;
    this.journal = journal;
    this.#owner = owner;
    this.root = new Strand(this, journal.workflow.state === "rolling_back");
  }

  get clock(): Clock {
    return this.instance.components.clock;
  }

  /** Whether its code may not go on. */
  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Aborted when its code may not go on. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Opens a place of the workflow to the code of a strand. */
  open(strand: Strand, place: Place): OpenScope {
    return this.#opener(this, strand, place);
  }

  /** Something of it waits, or waits no longer. */
  changed(): void {
    if (this.isOver) return;
    const { isIdle, wakesAt } = this.root;
    if (isIdle) {
      this.#rests = true;
      this.#owner.rests(wakesAt);
    } else if (this.#rests) {
      this.#rests = false;
      this.#owner.goesOn();
    }
  }

  /** A try of a step goes on until the function returned is called. */
  track(): () => void {
    this.#running += 1;
    return () => {
      this.#running -= 1;
      if (this.#running === 0) this.#onQuiet();
    };
  }

  /** Its code does not go on; `onQuiet` is called when the last of its tries has ended. */
  end(onQuiet: () => void): void {
    this.#over.abort();
    this.root.dispose();
    if (this.#running === 0) return onQuiet();
    this.#onQuiet = onQuiet;
  }

  /** Its code cannot go on. */
  halt(error: unknown): void {
    if (!this.isOver) this.#owner.halted(error);
  }
}
