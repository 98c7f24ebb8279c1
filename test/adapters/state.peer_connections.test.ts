import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { Connection } from "../../adapters/webrtc/connection.ts";
import type { PeerChannel } from "../../adapters/webrtc/peer_channel.ts";
import { End } from "../conformance/connection_pair.ts";

describe("what no stack can be made to do on demand", () => {
  it("takes a connection that stays disconnected for failed, once", async () => {
    const { clock, end, connection } = scripted();
    connection.changed("connected");
    connection.changed("disconnected");
    await clock.advance(11_999);
    assert.deepEqual(end.states, ["connected", "disconnected"]);
    await clock.advance(1);
    connection.changed("disconnected");
    await clock.advance(60_000);
    assert.deepEqual(end.states, ["connected", "disconnected", "failed"]);
    connection.changed("connected");
    assert.equal(end.states.at(-1), "connected");
  });

  it("lets a connection heal, and closes it, without a word later", async () => {
    const { clock, end, connection } = scripted();
    connection.changed("disconnected");
    await clock.advance(11_000);
    connection.changed("connected");
    await clock.advance(60_000);
    connection.changed("disconnected");
    connection.close();
    await clock.advance(60_000);
    assert.deepEqual(end.states, ["disconnected", "connected", "disconnected", "closed"]);
  });

  it("gives a late handler what came before, and then counts it no more", () => {
    const { end, connection } = scripted();
    const channel = connection.wrap(rawChannel);
    for (let round = 0; round < 3; round++) channel.received(new Uint8Array(200_000));
    const heard: number[] = [];
    channel.handle({ message: ({ length }) => heard.push(length), closed: () => {} });
    assert.deepEqual(heard, [200_000, 200_000, 200_000]);
    const other = connection.wrap(rawChannel);
    other.received(new Uint8Array(1_048_576 - 64));
    assert.deepEqual([end.errors, connection.state], [[], "new"]);
    other.received(new Uint8Array());
    assert.match(end.errors[0]?.message ?? "", /more than 1048576 bytes/);
    assert.deepEqual(
      [connection.state, channel.state, other.state],
      ["closed", "closed", "closed"],
    );
  });
});

const rawChannel = { label: "lane", buffered: () => 0, send: () => {} };

/** A connection whose stack does nothing by itself, and what it told. */
function scripted(): { clock: FakeClock; end: End; connection: Connection } {
  const clock = new FakeClock();
  const made: Connection[] = [];
  const end = new End(
    {
      name: "scripted",
      capabilities: {
        media: false,
        turnTcp: false,
        iceRestart: false,
        maxMessageBytes: 1_000,
        lowWaterEvents: false,
        noticesLossWithinMs: 0,
        mediaNeedsExit: false,
      },
      create: (options, handler) => {
        const stack = { clock, maxMessageBytes: 1_000, lowWaterEvents: false };
        return new Connection(stack, options, handler, (connection) => {
          made.push(connection);
          return idle;
        });
      },
    },
    {},
  );
  const [connection] = made;
  assert.ok(connection);
  return { clock, end, connection };
}

const idle = {
  describe: async () => "",
  setRemote: async () => {},
  addCandidate: async () => {},
  createChannel: (): PeerChannel => {
    throw new TypeError("no channels of its own");
  },
  candidatePair: async () => undefined,
  close: () => {},
};
