import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { defaultNodeOptions } from "../../../src/options.ts";
import { streamEndMetadata } from "../../../src/protocol/stream_end.ts";
import type { ReceiveOptions, StreamReader } from "../../../src/stream.ts";
import type { ChunkSender } from "../../../src/streams/chunk_sender.ts";
import { NodeStreams } from "../../../src/streams/node_streams.ts";
import { ChunkPeer, type RegistryRig, registryRig, streamId, textOf } from "./support.ts";

interface ReaderRig extends RegistryRig {
  readonly remote: ChunkPeer;
  read(options?: Partial<ReceiveOptions>): StreamReader;
}

function readerRig(maxLagBytes = 1_000): ReaderRig {
  const rig = registryRig({ maxLagBytes });
  const remote = new ChunkPeer(rig);
  const sender = {} as ChunkSender;
  const streams = new NodeStreams(
    { ...rig, random: new SeededRandom(), sender },
    defaultNodeOptions.streams,
  );
  const read = (options = {}): StreamReader =>
    streams.receive(streamId, { from: remote.peer.id, ...options });
  return { ...rig, remote, read };
}

/** All that a reader gives. */
async function texts(reader: StreamReader): Promise<string[]> {
  const all: string[] = [];
  for await (const chunk of reader) all.push(textOf(chunk));
  return all;
}

const end = { metadata: streamEndMetadata() };

describe("stream reader", () => {
  it("gives the chunks in order until the writer closes, read ahead or waited for", async () => {
    const { remote, read, registry, clock } = readerRig();
    const reader = read();
    remote.send("1");
    remote.send("2");
    const reading = texts(reader);
    await clock.settle();
    remote.send("3");
    remote.send("", end);
    assert.deepEqual(await reading, ["1", "2", "3"]);
    assert.equal(registry.size, 0);
    assert.equal(clock.pending, 0);
    assert.deepEqual(await reader.next(), { done: true, value: undefined });
  });

  it("throws what the writer gave up with, after what came before", async () => {
    const { remote, read } = readerRig();
    const reader = read();
    remote.send("1");
    const error = new ActrError("not_found", "no such file");
    remote.send("", { metadata: streamEndMetadata(error) });
    assert.equal(textOf((await reader.next()).value), "1");
    await assert.rejects(reader.next(), { code: "not_found", message: "no such file" });
    assert.equal((await reader.next()).done, true);
  });

  it("withholds the text of an inner error", async () => {
    const { remote, read } = readerRig();
    const reader = read();
    const secret = ActrError.from(new Error("password is 1234"));
    remote.send("", { metadata: streamEndMetadata(secret) });
    await assert.rejects(reader.next(), (error: ActrError) => {
      assert.equal(error.code, "internal");
      assert.doesNotMatch(error.message, /1234/);
      return true;
    });
  });

  it("holds the connection while it is not read, and lets it go when it is or when it closes", async () => {
    const { remote, read, clock } = readerRig();
    const reader = read();
    const fill = (): Promise<void> => {
      while (remote.held === undefined) remote.send("x".repeat(100));
      const { held } = remote;
      remote.held = undefined;
      return held;
    };
    const first = fill();
    for (let n = 0; n < 3; n++) await reader.next();
    await first;
    const second = fill();
    reader.close();
    await second;
    await clock.settle();
    remote.send("late");
    assert.equal(remote.held, undefined);
  });

  it("ends with the connection, after what that had brought, or before", async () => {
    const { remote, read, registry } = readerRig();
    const reader = read();
    remote.send("1");
    remote.send("2");
    registry.disconnected(remote.link, remote.peer);
    assert.equal(textOf((await reader.next()).value), "1");
    assert.equal(textOf((await reader.next()).value), "2");
    await assert.rejects(reader.next(), { code: "unavailable" });

    const other = read();
    registry.disconnected(remote.link, remote.peer);
    remote.send("", end);
    assert.equal((await other.next()).done, true, "a connection that brought nothing took nothing");
  });

  it("waits for the next chunk no longer than it was told", async () => {
    const { remote, read, clock } = readerRig();
    const reader = read({ idleTimeoutMs: 1_000 });
    const first = reader.next();
    await clock.advance(999);
    remote.send("1");
    await first;
    const second = reader.next();
    await clock.advance(999);
    remote.send("2");
    assert.equal(textOf((await second).value), "2", "each wait has its own time");
    await clock.advance(60_000);
    const third = assert.rejects(reader.next(), { code: "timed_out" });
    await clock.advance(1_000);
    await third;
    assert.equal(clock.pending, 0);
  });

  it("may wait for ever", async () => {
    const { read, clock, remote } = readerRig();
    const reader = read({ idleTimeoutMs: Number.POSITIVE_INFINITY });
    const next = reader.next();
    await clock.advance(24 * 60 * 60 * 1_000);
    remote.send("1");
    assert.equal(textOf((await next).value), "1");
  });

  it("ends by its signal, by leaving the loop, by another registration and by the node's end", async () => {
    const { remote, read, registry, clock } = readerRig();
    const abort = new AbortController();
    const stopped = read({ signal: abort.signal });
    const waiting = assert.rejects(stopped.next(), { message: "enough" });
    abort.abort(new Error("enough"));
    await waiting;
    assert.throws(() => read({ signal: abort.signal }), { message: "enough" });

    const left = read();
    remote.send("1");
    for await (const _ of left) break;
    assert.equal(registry.size, 0);

    const replaced = read();
    const newer = read();
    await assert.rejects(replaced.next(), { code: "unavailable" });
    remote.send("2");
    assert.equal(textOf((await newer.next()).value), "2");

    await registry.close();
    await assert.rejects(newer.next(), { code: "stopping" });
    await assert.rejects(read().next(), { code: "stopping" });
    assert.equal(clock.pending, 0);
  });

  it("closing one reader leaves the one that came in its place alone", async () => {
    const { remote, read } = readerRig();
    const older = read();
    const newer = read();
    older.close();
    remote.send("1");
    assert.equal(textOf((await newer.next()).value), "1");
  });

  it("is read by one loop at a time", async () => {
    const { read } = readerRig();
    const reader = read();
    const first = reader.next();
    await assert.rejects(reader.next(), TypeError);
    reader.close();
    assert.equal((await first).done, true);
  });
});
