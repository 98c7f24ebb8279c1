import { ActrError } from "../errors.ts";

/** The one way from a stage of a node's life to the next: it is taken once, or the stage is given up. */
export class WayOn {
  readonly #name: string;
  readonly #ended = new AbortController();
  #taken: Promise<unknown> | undefined;

  /** @param name what the way is called in errors, such as `start`. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Whether the way is taken, or never will be. */
  get used(): boolean {
    return this.#taken !== undefined || this.#ended.signal.aborted;
  }

  /** Takes the way; `work` has to undo what it did when it fails. @throws TypeError when it is used; what `work` throws. */
  take<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.used) {
      const past = this.#taken === undefined ? "given up" : `gone: ${this.#name}() was called`;
      return Promise.reject(new TypeError(`this stage of the node is ${past}; begin a new one`));
    }
    const ended = this.#ended.signal;
    const taken = work(signal === undefined ? ended : AbortSignal.any([signal, ended]));
    this.#taken = taken;
    return taken;
  }

  /** Gives the stage up: `undo` when nobody has taken the way; one that is under way is aborted; who has arrived stays. Idempotent. */
  async giveUp(undo: () => Promise<void>): Promise<void> {
    this.#ended.abort(
      new ActrError("stopping", `the node was given up before ${this.#name}() ended`),
    );
    await (this.#taken ?? undo()).then(
      () => {},
      () => {},
    );
  }
}
