import { ActrError } from "../errors.ts";
import type { Random } from "../ports/random.ts";
import { maxChain } from "../protocol/call_chain.ts";
import { crossed } from "../protocol/deadlock.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import type { InboundMessage } from "./message.ts";

/** Where handlers that wait lend their place. */
export interface Places {
  lend(): void;
  resume(): void;
}

/** Handlers of this node that wait for calls of their own, and calls that handlers of others wait for. */
export class Nesting {
  readonly places: Places;
  readonly #random: Random;
  readonly #names = new Set<string>();
  /** Calls that others wait for and that have not begun. */
  readonly #queued = new Set<InboundMessage>();
  /** How many of them each peer waits for. */
  readonly #queuedBy = new Map<string, number>();

  constructor(random: Random, places: Places) {
    this.#random = random;
    this.places = places;
  }

  /** Whether a handler that runs here is one of `chain`. */
  knows(chain: readonly string[]): boolean {
    return chain.some((name) => this.#names.has(name));
  }

  /** The calls of a handler that itself is waited for by `ancestors`. */
  open(ancestors: readonly string[]): HandlerCalls {
    const name = this.#random.uuid();
    this.#names.add(name);
    return new HandlerCalls(name, ancestors, this);
  }

  forget(name: string): void {
    this.#names.delete(name);
  }

  /** A call that a handler of another node waits for is put in the queue. */
  queued(message: InboundMessage): void {
    const peer = message.from.key;
    this.#queued.add(message);
    this.#queuedBy.set(peer, (this.#queuedBy.get(peer) ?? 0) + 1);
  }

  /** It waits no more. */
  left(message: InboundMessage): void {
    if (this.#queued.size === 0 || !this.#queued.delete(message)) return;
    const peer = message.from.key;
    const others = (this.#queuedBy.get(peer) ?? 0) - 1;
    if (others > 0) this.#queuedBy.set(peer, others);
    else this.#queuedBy.delete(peer);
  }

  /** Whether a handler of `peer` waits in the queue, perhaps for one that runs here. */
  isAwaitedBy(peer: string): boolean {
    return this.#queuedBy.has(peer);
  }
}

/** The calls that one handler makes: while it waits for them it holds its key, but lends its place. */
export class HandlerCalls {
  /** What its calls say who waits for them: a random name, so that only whom it calls can know it. */
  readonly name: string;
  readonly #ancestors: readonly string[];
  readonly #nesting: Nesting;
  /** Calls under way, by peer. */
  readonly #peers = new Map<string, number>();

  constructor(name: string, ancestors: readonly string[], nesting: Nesting) {
    this.name = name;
    this.#ancestors = ancestors;
    this.#nesting = nesting;
  }

  /** Whether it waits for `peer`. */
  awaits(peer: string): boolean {
    return this.#peers.has(peer);
  }

  /**
   * Makes a call that the handlers of `chain` wait for.
   * @throws ActrError `invalid_argument` when too many wait already; `unavailable` when a handler of the target waits in the queue here.
   */
  async during<T>(
    { target, routeKey }: { readonly target: ActrId; readonly routeKey: string },
    call: (chain: readonly string[]) => Promise<T>,
  ): Promise<T> {
    const peer = formatActrId(target);
    if (this.#nesting.isAwaitedBy(peer)) throw crossed(routeKey, peer);
    return await this.within(target, call);
  }

  /** As {@link HandlerCalls.during}, for what waits for no handler. @throws ActrError `invalid_argument` when too many wait already. */
  async within<T>(target: ActrId, call: (chain: readonly string[]) => Promise<T>): Promise<T> {
    const peer = formatActrId(target);
    if (this.#ancestors.length >= maxChain) throw tooDeep();
    this.#begin(peer);
    try {
      return await call([...this.#ancestors, this.name]);
    } finally {
      this.#end(peer);
    }
  }

  /** The handler has ended, and with it its key and its place. */
  leave(): void {
    this.#nesting.forget(this.name);
    if (this.#peers.size > 0) this.#nesting.places.resume();
    this.#peers.clear();
  }

  #begin(peer: string): void {
    if (this.#peers.size === 0) this.#nesting.places.lend();
    this.#peers.set(peer, (this.#peers.get(peer) ?? 0) + 1);
  }

  #end(peer: string): void {
    const left = (this.#peers.get(peer) ?? 0) - 1;
    if (left > 0) return void this.#peers.set(peer, left);
    if (this.#peers.delete(peer) && this.#peers.size === 0) this.#nesting.places.resume();
  }
}

function tooDeep(): ActrError {
  return new ActrError(
    "invalid_argument",
    `${maxChain} handlers wait for each other already; a call may be nested no deeper`,
  );
}
