import type { Destination, NodeContext, StreamCallOptions } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { DataChunk } from "../protocol/data_chunk.ts";
import type { ActrId } from "../protocol/ids.ts";
import {
  backId,
  isOpened,
  itemWeight,
  readMetadata,
  streamRequestMetadata,
} from "../protocol/server_stream.ts";
import { streamEndMetadata } from "../protocol/stream_end.ts";
import type { Streams } from "../stream.ts";
import type { InternalCallOptions } from "./caller.ts";

/** What a stream is asked for in the name of. */
export type StreamCaller = Pick<NodeContext, "call" | "streams" | "selfId">;

const defaultWindowBytes = 256 * 1024;
const maxWindowBytes = 0xffff_ffff;

/** How long the next item of a stream that was left may take, milliseconds; the end of most comes at once. */
const restTimeoutMs = 10_000;

const nothing = new Uint8Array(0);

/**
 * Asks a method for the stream that it answers with: its messages, encoded. Wire: `protocol/server_stream.ts`.
 * @throws ActrError what the handler threw; `unavailable`, `timed_out`, `stopping`; `not_implemented` of the host; the signal's reason.
 */
export async function* callForStream(
  context: StreamCaller,
  target: Destination,
  routeKey: string,
  payload: Uint8Array,
  options: StreamCallOptions = {},
): AsyncGenerator<Uint8Array, undefined, undefined> {
  const { idleTimeoutMs, windowBytes = defaultWindowBytes, ...call } = options;
  checkWindow(windowBytes);
  const { streams } = context;
  const peer = peerOf(context, target);
  const streamId = streams.newId();
  const reader = streams.receive(streamId, {
    from: peer,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    ...(call.signal === undefined ? {} : { signal: call.signal }),
  });
  const tell = (metadata: DataChunk["metadata"]): void => {
    // Whether it arrives or not, the stream's own connection tells what becomes of it.
    streams.send(peer, backId(streamId), { payload: nothing, metadata }).catch(() => {});
  };
  let state: "open" | "complete" | "broken" = "open";
  try {
    const opening: InternalCallOptions = {
      ...call,
      metadata: [streamRequestMetadata({ streamId, windowBytes })],
      once: true,
    };
    await context.call(target, routeKey, payload, opening);
    let read = 0;
    let told = 0;
    for await (const chunk of reader) {
      if (isOpened(chunk)) continue;
      yield chunk.payload;
      read += itemWeight(chunk.payload);
      if (read - told < windowBytes / 2) continue;
      told = read;
      tell(readMetadata(read));
    }
    state = "complete";
  } catch (error) {
    // What fails at the other end, or with the connection, has ended there as well.
    const own = call.signal?.aborted === true || ActrError.from(error).code === "timed_out";
    if (!own) state = "broken";
    throw error;
  } finally {
    reader.close();
    if (state !== "broken") tell(streamEndMetadata());
    if (state === "open") void takeRest(streams, streamId, peer);
  }
}

/** Takes what is on its way when the caller leaves, so that nobody has to wonder what it is. */
async function takeRest(streams: Streams, streamId: string, from: ActrId): Promise<void> {
  try {
    for await (const _ of streams.receive(streamId, { from, idleTimeoutMs: restTimeoutMs }));
  } catch {
    // It never opened, or is over by now.
  }
}

function peerOf({ selfId }: StreamCaller, target: Destination): ActrId {
  if (target === "workload") return selfId;
  if (target !== "host") return target;
  throw new ActrError(
    "not_implemented",
    "the host answers with no streams; ask workload, or a peer",
  );
}

function checkWindow(bytes: number): void {
  if (Number.isInteger(bytes) && bytes > 0 && bytes <= maxWindowBytes) return;
  throw new RangeError(
    `windowBytes is ${bytes}; it must be a whole number from 1 to ${maxWindowBytes}`,
  );
}
