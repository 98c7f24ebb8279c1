import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link } from "../ports/transport.ts";
import { type Lane, lanes } from "../protocol/frame.ts";
import { streamEndMetadata } from "../protocol/stream_end.ts";
import type { ChunkInit, StreamWriter } from "../stream.ts";
import { type ChunkSender, chunkFrame, type SendBounds } from "./chunk_sender.ts";

/** What {@link LinkWriter} works with. */
export interface LinkWriterComponents {
  readonly clock: Clock;
  readonly sender: ChunkSender;
}

const nothing = new Uint8Array(0);

/** Writes one stream on one connection, its chunks numbered from 0. */
export class LinkWriter implements StreamWriter {
  readonly streamId: string;
  readonly #components: LinkWriterComponents;
  readonly #link: Link;
  readonly #bounds: SendBounds;
  readonly #generation: number;
  #sequence = 0n;
  #end: Promise<void> | undefined;

  constructor(components: LinkWriterComponents, link: Link, streamId: string, bounds: SendBounds) {
    this.#components = components;
    this.#link = link;
    this.streamId = streamId;
    this.#bounds = bounds;
    this.#generation = components.sender.generation;
  }

  get sequence(): bigint {
    return this.#sequence;
  }

  async write(
    payload: Uint8Array,
    chunk: Omit<ChunkInit, "payload" | "sequence"> = {},
  ): Promise<boolean> {
    if (this.#end !== undefined) {
      throw new ActrError("invalid_argument", `stream ${this.streamId} is closed; open another`);
    }
    const { lane, signal } = this.#bounds;
    return await this.#send({ ...chunk, payload }, lane, signal);
  }

  close(): Promise<void> {
    this.#end ??= this.#finish(undefined);
    return this.#end;
  }

  abort(error: unknown): Promise<void> {
    this.#end ??= this.#finish(ActrError.from(error));
    return this.#end;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The end goes by the reliable lane whatever the chunks went by, and also when the writer's signal has aborted: it is not to be missed. */
  async #finish(error: ActrError | undefined): Promise<void> {
    const end = { payload: nothing, metadata: streamEndMetadata(error) };
    await this.#send(end, lanes.streamReliable, undefined);
  }

  #send(chunk: ChunkInit, lane: Lane, signal: AbortSignal | undefined): Promise<boolean> {
    const { clock, sender } = this.#components;
    sender.assertUsable(this.#generation);
    const sequence = this.#sequence;
    const frame = chunkFrame(lane, this.streamId, { ...chunk, sequence });
    this.#sequence = sequence + 1n;
    const deadline = clock.monotonic() + this.#bounds.timeoutMs;
    return sender.hand(this.#link, this.streamId, frame, { deadline, signal });
  }
}
