/** What a label belongs to. */
export const labelKinds = { block: 0, loop: 1, openIf: 2 } as const;

/** One of {@link labelKinds}. */
export type LabelKind = (typeof labelKinds)[keyof typeof labelKinds];

/** Most labels around an instruction; compilers make some hundreds, and some engines end the process with too many. */
const mostLabels = 5_000;

/**
 * The labels around an instruction. Of each it is known how many instructions may have run without a point of fuel when
 * the code behind its end is reached.
 */
export class Labels {
  readonly #kinds = new Uint8Array(mostLabels);
  /** Runs with which they were entered, and the longest that reach their ends by branches. */
  readonly #entered = new Int32Array(mostLabels);
  readonly #arrived = new Int32Array(mostLabels);
  #depth = 0;

  get depth(): number {
    return this.#depth;
  }

  /** A label begins; whether there is room for it. */
  enter(kind: LabelKind, run: number): boolean {
    if (this.#depth === mostLabels) return false;
    this.#kinds[this.#depth] = kind;
    this.#entered[this.#depth] = run;
    this.#arrived[this.#depth++] = 0;
    return true;
  }

  /** A branch to the label `label`, counted from the innermost; whether there is such a label. */
  branch(label: number, run: number): boolean {
    const at = this.#depth - 1 - label;
    // A branch to a loop begins a turn, which has a point of its own.
    if (at >= 0 && this.#kinds[at] !== labelKinds.loop) this.#arrive(at, run);
    return at >= 0;
  }

  /** The other arm of the innermost label begins; the run with which it does. */
  otherwise(run: number): number {
    const at = this.#depth - 1;
    this.#arrive(at, run);
    this.#kinds[at] = labelKinds.block;
    return this.#entered[at] ?? 0;
  }

  /** A handler of the innermost label begins: whoever throws has paid a point. */
  handler(run: number): number {
    this.#arrive(this.#depth - 1, run);
    return 0;
  }

  /** The innermost label ends; the longest run that reaches what follows. */
  leave(run: number): number {
    const at = --this.#depth;
    const skipped = this.#kinds[at] === labelKinds.openIf ? (this.#entered[at] ?? 0) : 0;
    return Math.max(run, skipped, this.#arrived[at] ?? 0);
  }

  #arrive(at: number, run: number): void {
    if (run > (this.#arrived[at] ?? 0)) this.#arrived[at] = run;
  }
}
