import type { ActrError } from "../../errors.ts";
import { guestFault } from "../fault.ts";

/** A number of things that may be at once; who comes when all are taken is refused at once, and counted. */
export class Places {
  readonly #what: string;
  readonly #option: string;
  readonly #most: number;
  #taken = 0;
  #denied = 0;

  /** @param what the things, in the plural. @param option what sets how many there may be. */
  constructor(what: string, option: string, most: number) {
    this.#what = what;
    this.#option = option;
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** How many were refused. */
  get denied(): number {
    return this.#denied;
  }

  /** Takes `count` of them, or none; fewer than 0 gives back. @throws ActrError `overloaded` with fault `resource_limit`. */
  take(count = 1): void {
    const refusal = this.tryTake(count);
    if (refusal !== undefined) throw refusal;
  }

  /** As {@link take}; why it was refused, if it was. */
  tryTake(count = 1): ActrError | undefined {
    if (this.#taken + count <= this.#most) {
      this.#taken += count;
      return undefined;
    }
    this.#denied += 1;
    const text = `there are ${this.#taken} ${this.#what} of all guests, and at most ${this.#most}`;
    return guestFault("resource_limit", `${text}; come again, or raise ${this.#option}`);
  }

  /** Gives back what was taken. */
  give(count = 1): void {
    this.#taken -= count;
  }
}
