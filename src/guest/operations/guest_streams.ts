import { ActrError } from "../../errors.ts";
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
  /** Another guest's may have the same names now. */
  #suspended = false;

  /** @param streams of the node, which are made after its guest. */
  constructor(streams: () => Streams, enter: EnterChunk) {
    this.#streams = streams;
    this.#enter = enter;
  }

  get size(): number {
    return this.#ids.size;
  }

  /** Chunks of `id` enter the guest from now on. @throws ActrError `invalid_argument` for the id, `overloaded`, `unavailable` while suspended. */
  register(id: string): void {
    if (this.#suspended) throw new ActrError("unavailable", "another guest takes this one's place");
    this.#streams().register(id, this.#enter);
    this.#ids.add(id);
  }

  /** Takes no more chunks of `id`, if the guest registered it. Idempotent. */
  unregister(id: string): void {
    if (this.#ids.delete(id) && !this.#suspended) this.#streams().unregister(id);
  }

  /** Takes no chunks until {@link resume}. */
  suspend(): void {
    this.#leave();
    this.#suspended = true;
  }

  /** Takes chunks again, of all that it registered. @throws ActrError `overloaded`. */
  resume(): void {
    this.#suspended = false;
    for (const id of this.#ids) this.#streams().register(id, this.#enter);
  }

  /** Gives up all of them: the instance that registered them is gone (`spec/guest.md` §21 GD-11). */
  clear(): void {
    if (!this.#suspended) this.#leave();
    this.#ids.clear();
  }

  #leave(): void {
    for (const id of this.#ids) this.#streams().unregister(id);
  }
}
