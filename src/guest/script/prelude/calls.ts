import { bytesOf, exactBuffer } from "./bytes.ts";
import { type ErrorText, errorOf } from "./errors.ts";
import { parse, stringify } from "./json.ts";
import type { Native } from "./native.ts";

type Answer = ArrayBuffer | string | undefined;

interface Waiting {
  resolve(value: unknown): void;
  reject(reason: unknown): void;
  readonly read: (value: never) => unknown;
}

/** Reads an answer that is nothing. */
export function nothing(): void {}

/** Reads an answer that is bytes. */
export function bytes(value: Answer): Uint8Array {
  return bytesOf(value as ArrayBuffer | undefined);
}

/** Calls of the node that wait for their answers. */
export class Calls {
  readonly #native: Native;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(native: Native) {
    this.#native = native;
  }

  /** Asks the node for what `read` makes of the answer; a payload goes apart from the text. */
  ask<T>(what: object, read: (value: never) => T, payload?: Uint8Array): Promise<T> {
    return new Promise((resolve, reject) => {
      const text = stringify(what);
      const buffer = payload === undefined ? undefined : exactBuffer(payload, "the payload");
      const number = ++this.#last;
      this.#waiting.set(number, { resolve, reject, read });
      if (buffer === undefined) this.#native.ask(number, text);
      else this.#native.ask(number, text, buffer);
    });
  }

  /** Tells what nobody answers. */
  tell(what: object): void {
    this.#native.ask(0, stringify(what));
  }

  /** The node's answer. */
  answer(call: number, error: string | undefined, value: Answer): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (waiting === undefined) return;
    try {
      if (error !== undefined) throw errorOf(parse(error) as ErrorText);
      waiting.resolve(waiting.read(value as never));
    } catch (thrown) {
      waiting.reject(thrown);
    }
  }
}
