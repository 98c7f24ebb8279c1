import type { DataChunk } from "../../protocol/data_chunk.ts";
import type { ActrId } from "../../protocol/ids.ts";
import type { Streams } from "../../stream.ts";

/** Gives a guest one chunk of a stream that it registered. */
export type EnterChunk = (chunk: DataChunk, sender: ActrId) => Promise<void>;

/** The streams that one guest registered: whoever else uses the node's streams keeps his own. */
export class GuestStreams {
  readonly #streams: () => Streams;
  readonly #enter: EnterChunk;
  readonly #ids = new Set<string>();

  /** @param streams of the node, which are made after its guest. */
  constructor(streams: () => Streams, enter: EnterChunk) {
    this.#streams = streams;
    this.#enter = enter;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Chunks of `id` enter the guest from now on. @throws ActrError `invalid_argument` for the id, `overloaded`. */
  register(id: string): void {
    this.#streams().register(id, this.#enter);
    this.#ids.add(id);
  }

  /** Takes no more chunks of `id`, if the guest registered it. Idempotent. */
  unregister(id: string): void {
    if (this.#ids.delete(id)) this.#streams().unregister(id);
  }

  /** Takes no chunks until {@link resume}. */
  suspend(): void {
    for (const id of this.#ids) this.#streams().unregister(id);
  }

  /** Takes chunks again, of all that it registered. @throws ActrError `overloaded`. */
  resume(): void {
    for (const id of this.#ids) this.#streams().register(id, this.#enter);
  }

  /** Gives up all of them: the instance that registered them is gone (`spec/guest.md` §21 GD-11). */
  clear(): void {
    this.suspend();
    this.#ids.clear();
  }
}
