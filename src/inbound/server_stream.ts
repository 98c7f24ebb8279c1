import { abortable } from "#async";
import type { RequestContext } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import type { Link } from "../ports/transport.ts";
import { type Lane, lanes } from "../protocol/frame.ts";
import {
  backId,
  itemWeight,
  openedMetadata,
  readWeightOf,
  type StreamRequest,
  streamRequestOf,
} from "../protocol/server_stream.ts";
import type { StreamReader, StreamWriter } from "../stream.ts";
import type { OpenOptions } from "../streams/node_streams.ts";
import { LinkWatch } from "./link_watch.ts";
import type { Request, Route } from "./route.ts";
import { StreamContext } from "./stream_context.ts";

/** Where the items of a method's streams come from. */
export interface ItemSource<Item> {
  readonly lane: Lane;
  /** Begins a stream. @throws what the caller is answered instead of a stream. */
  open(payload: Uint8Array, context: RequestContext): AsyncIterable<Item>;
  encode(item: Item): Uint8Array;
}

const nothing = new Uint8Array(0);

/** Why a handler's signal is aborted when nobody reads any more. */
const left = new ActrError("unavailable", "the caller has left its stream");
const ended = new ActrError("unavailable", "the stream has ended");
const lost = new ActrError("unavailable", "the caller's connection is lost");

/**
 * Answers every request with a stream of `source`, on the connection that the request came by; the answer itself only
 * says that it is open. Wire: `protocol/server_stream.ts`.
 */
export function answeringWithStream<Item>(source: ItemSource<Item>): Route["handle"] {
  const links = new LinkWatch();
  return async (payload, context, _reply, request) => {
    const { link, asked } = streamAsked(request.message);
    const { callerId, streams, log } = context;
    const { streamId } = asked;
    const control = new AbortController();
    const { signal } = control;
    const options: OpenOptions = { link, payloadType: source.lane };
    const writer = await streams.open(callerId, streamId, options);
    // The caller may have nothing to say for as long as it likes: its connection tells whether it lives.
    const idleTimeoutMs = Number.POSITIVE_INFINITY;
    const reader = streams.receive(backId(streamId), { from: callerId, idleTimeoutMs, signal });
    try {
      const items = source.open(payload, new StreamContext(context, signal));
      const iterator = items[Symbol.asyncIterator]();
      const lossy = source.lane === lanes.streamLatencyFirst;
      const windowBytes = lossy ? Number.POSITIVE_INFINITY : asked.windowBytes;
      const stream = new ServerStream({ writer, reader, control, log, request, windowBytes });
      const forget = links.add(link, () => stream.stop(lost));
      void stream.run(iterator, source).finally(forget);
    } catch (error) {
      reader.close();
      throw error;
    }
    return nothing;
  };
}

function streamAsked({ envelope, link }: Request["message"]): { link: Link; asked: StreamRequest } {
  const asked = streamRequestOf(envelope.metadata);
  if (asked === undefined) {
    const reason = `${envelope.routeKey} answers with a stream; ask for one by the metadata roost-stream`;
    throw new ActrError("invalid_argument", reason);
  }
  if (link === undefined) {
    throw new ActrError("unavailable", `the connection that asked for ${asked.streamId} is gone`);
  }
  return { link, asked };
}

interface ServerStreamParts {
  readonly writer: StreamWriter;
  /** What the caller says while it reads. */
  readonly reader: StreamReader;
  readonly control: AbortController;
  readonly log: Logger;
  readonly request: Request;
  readonly windowBytes: number;
}

/** One stream that a request is answered with, from its opening to its end. */
class ServerStream {
  readonly #parts: ServerStreamParts;
  /** Weight of the items sent, and of those that the caller has read. */
  #sent = 0;
  #read = 0;
  #room: () => void = () => {};
  readonly #heardAll: Promise<void>;

  constructor(parts: ServerStreamParts) {
    this.#parts = parts;
    this.#heardAll = this.#listen();
  }

  /** Ends it from outside: the handler sees its signal aborted with `reason`. */
  stop(reason: unknown): void {
    this.#parts.control.abort(reason);
  }

  /** Sends what `items` give, one whenever there is room, and then the end. Never rejects. */
  async run<Item>(items: AsyncIterator<Item>, { encode }: ItemSource<Item>): Promise<void> {
    const { writer, control } = this.#parts;
    const { signal } = control;
    try {
      await writer.write(nothing, { metadata: openedMetadata });
      for (;;) {
        await this.#roomy();
        signal.throwIfAborted();
        const item = await abortable(items.next(), signal);
        if (item.done === true) break;
        const payload = encode(item.value);
        this.#sent += itemWeight(payload);
        await writer.write(payload);
      }
      await writer.close();
      await this.#heardAll;
    } catch (error) {
      void leave(items);
      await this.#fail(error);
    } finally {
      control.abort(ended);
    }
  }

  async #roomy(): Promise<void> {
    const { windowBytes, control } = this.#parts;
    while (this.#sent - this.#read >= windowBytes) {
      const room = new Promise<void>((resolve) => {
        this.#room = resolve;
      });
      await abortable(room, control.signal);
    }
  }

  /** Hears what the caller has read, and that it leaves. Never rejects. */
  async #listen(): Promise<void> {
    try {
      for await (const chunk of this.#parts.reader) {
        const read = readWeightOf(chunk);
        if (read === undefined || read <= this.#read) continue;
        this.#read = Math.min(read, this.#sent);
        this.#room();
      }
      this.stop(left);
    } catch (error) {
      this.stop(error);
    }
  }

  async #fail(error: unknown): Promise<void> {
    const { writer, log, request, control } = this.#parts;
    if (error === lost) return;
    // What ends with its signal was told to.
    if (!control.signal.aborted) request.report(error);
    try {
      await (error === left ? writer.close() : writer.abort(error));
    } catch (unsent) {
      log.debug("rpc.stream_end_unsent", { error: unsent });
    }
  }
}

/** Tells a handler that nobody asks it for more; one that waits hears it from its signal. */
async function leave(items: AsyncIterator<unknown>): Promise<void> {
  try {
    await items.return?.();
  } catch {
    // It failed because it was to end.
  }
}
