import type { InboundStream } from "./inbound_stream.ts";

/** The streams of one id: that of each expected sender, and the one for everybody else. */
interface Streams {
  readonly bySender: Map<string, InboundStream>;
  forAll: InboundStream | undefined;
}

/** Streams by id and expected sender: who may choose his own ids cannot take another's place. */
export class StreamTable {
  readonly #byId = new Map<string, Streams>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The stream of `id` bound to the peer `from`, or the one for everybody. */
  get(id: string, from: string | undefined): InboundStream | undefined {
    const streams = this.#byId.get(id);
    return from === undefined ? streams?.forAll : streams?.bySender.get(from);
  }

  /** The stream of `id` that takes chunks of the peer `sender`; the one for everybody only when `admits` says so. */
  find(id: string, sender: string, admits: () => boolean): InboundStream | undefined {
    const streams = this.#byId.get(id);
    if (streams === undefined) return undefined;
    const own = streams.bySender.size === 0 ? undefined : streams.bySender.get(sender);
    if (own?.sink !== undefined) return own;
    const { forAll } = streams;
    return forAll?.sink !== undefined && admits() ? forAll : undefined;
  }

  add(id: string, from: string | undefined, stream: InboundStream): void {
    let streams = this.#byId.get(id);
    if (streams === undefined) {
      streams = { bySender: new Map(), forAll: undefined };
      this.#byId.set(id, streams);
    }
    if (from === undefined) streams.forAll = stream;
    else streams.bySender.set(from, stream);
    this.#size += 1;
  }

  /** Idempotent: a stream may end while it is being taken out. */
  delete(id: string, from: string | undefined): void {
    const streams = this.#byId.get(id);
    if (streams === undefined || this.get(id, from) === undefined) return;
    if (from === undefined) streams.forAll = undefined;
    else streams.bySender.delete(from);
    this.#size -= 1;
    if (streams.forAll === undefined && streams.bySender.size === 0) this.#byId.delete(id);
  }

  *[Symbol.iterator](): Generator<InboundStream> {
    for (const { bySender, forAll } of this.#byId.values()) {
      yield* bySender.values();
      if (forAll !== undefined) yield forAll;
    }
  }
}
