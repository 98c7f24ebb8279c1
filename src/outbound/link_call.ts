import { ActrError } from "../errors.ts";
import type { Expiring } from "../session/deadlines.ts";

/** One action on a connection that waits: to be sent, or for its answer. */
export class LinkCall implements Expiring {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Where its deadline is watched. */
  bucket = 0;
  /** What its answer bears; undefined until it is sent. */
  id: bigint | undefined;
  /** Which of the messages of its connection it is. */
  number = 0;
  readonly answer: Promise<unknown>;
  readonly #onExpiry: (call: LinkCall) => void;
  #resolve: (output: unknown) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  /** @param onExpiry called when its time is up, before it fails. */
  constructor(name: string, args: readonly unknown[], onExpiry: (call: LinkCall) => void) {
    this.name = name;
    this.args = args;
    this.#onExpiry = onExpiry;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(output: unknown): void {
    this.#resolve(output);
  }

  reject(error: unknown): void {
    this.#reject(error);
  }

  expire(): void {
    this.#onExpiry(this);
    this.#reject(new ActrError("timed_out", `action ${this.name} was not answered in time`));
  }
}
