import { ActrError } from "../errors.ts";
import type { Random } from "../ports/random.ts";
import { maxChain } from "../protocol/call_chain.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";

/** Where handlers that wait lend their place. */
interface Places {
  lend(): void;
  resume(): void;
}

/** Handlers of this node that wait, or waited, for calls of their own while they hold a key. */
export class Nesting {
  readonly #random: Random;
  readonly #places: Places;
  readonly #names = new Set<string>();

  constructor(random: Random, places: Places) {
    this.#random = random;
    this.#places = places;
  }

  /** Whether a handler that runs here is one of `chain`. */
  knows(chain: readonly string[]): boolean {
    return chain.some((name) => this.#names.has(name));
  }

  /** The calls of a handler that itself is waited for by `ancestors`. */
  open(ancestors: readonly string[]): HandlerCalls {
    const name = this.#random.uuid();
    this.#names.add(name);
    return new HandlerCalls(name, ancestors, this.#places, () => this.#names.delete(name));
  }
}

/** The calls that one handler makes: while it waits for them it holds its key, but lends its place. */
export class HandlerCalls {
  /** What its calls say who waits for them: a random name, so that only whom it calls can know it. */
  readonly name: string;
  readonly #ancestors: readonly string[];
  readonly #places: Places;
  readonly #forget: () => void;
  /** Calls under way, by peer. */
  readonly #peers = new Map<string, number>();

  constructor(name: string, ancestors: readonly string[], places: Places, forget: () => void) {
    this.name = name;
    this.#ancestors = ancestors;
    this.#places = places;
    this.#forget = forget;
  }

  /** Whether it waits for `peer`. */
  awaits(peer: string): boolean {
    return this.#peers.has(peer);
  }

  /** Makes a call that the handlers of `chain` wait for. */
  during<T>(target: ActrId, call: (chain: readonly string[]) => Promise<T>): Promise<T> {
    if (this.#ancestors.length >= maxChain) return Promise.reject(tooDeep());
    const peer = formatActrId(target);
    this.#begin(peer);
    const answer = call([...this.#ancestors, this.name]);
    const end = (): void => this.#end(peer);
    answer.then(end, end);
    return answer;
  }

  /** The handler has ended, and with it its key and its place. */
  leave(): void {
    this.#forget();
    if (this.#peers.size > 0) this.#places.resume();
    this.#peers.clear();
  }

  #begin(peer: string): void {
    if (this.#peers.size === 0) this.#places.lend();
    this.#peers.set(peer, (this.#peers.get(peer) ?? 0) + 1);
  }

  #end(peer: string): void {
    const left = (this.#peers.get(peer) ?? 0) - 1;
    if (left > 0) return void this.#peers.set(peer, left);
    if (this.#peers.delete(peer) && this.#peers.size === 0) this.#places.resume();
  }
}

function tooDeep(): ActrError {
  return new ActrError(
    "invalid_argument",
    `${maxChain} handlers wait for each other already; a call may be nested no deeper`,
  );
}
