import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { Connection } from "../../adapters/webrtc/connection.ts";
import type { PeerChannel } from "../../adapters/webrtc/peer_channel.ts";
import type {
  PeerConnectionOptions,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
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

  it("looks for what the stack does not tell, as long as the connection is lost", async () => {
    const { clock, end, connection, stack } = scripted();
    stack.state = "connected";
    connection.changed("connected");
    stack.state = "disconnected";
    connection.changed("disconnected");
    await clock.advance(1_000);
    stack.state = "connected";
    await clock.advance(100);
    assert.deepEqual(end.states, ["connected", "disconnected", "connected"]);
    assert.equal(clock.pending, 0);
    connection.changed("failed");
    await clock.advance(100);
    assert.deepEqual(end.states.slice(3), ["failed", "connected"]);
    connection.changed("disconnected");
    connection.close();
    await clock.advance(60_000);
    assert.deepEqual(end.states.slice(5), ["disconnected", "closed"]);
    assert.equal(clock.pending, 0);
  });

  it("asks the stack what a channel holds back now and then alone, once it may be much", async () => {
    const { clock, connection } = scripted();
    let [held, asked, drained] = [0, 0, 0];
    const buffered = (): number => {
      asked += 1;
      return held;
    };
    const send = ({ length }: Uint8Array): void => {
      held += length;
    };
    const channel = connection.wrap({ label: "lane", buffered, send });
    channel.handle({ message: () => {}, closed: () => {}, drained: () => drained++ });
    channel.opened();
    const message = new Uint8Array(1_000);
    const sendMany = (count: number): void => {
      for (let sent = 0; sent < count; sent++) channel.send(message);
    };
    sendMany(1_835);
    assert.equal(clock.pending, 0, "nothing to look at below the low-water mark");
    sendMany(262);
    held = 1_900_000;
    assert.throws(() => channel.send(message), { code: "overloaded" });
    assert.equal(asked, 0, "within one turn");
    await clock.advance(4);
    assert.deepEqual([drained, asked], [0, 1]);
    sendMany(1);
    held = 1_835_008;
    await clock.advance(4);
    assert.equal(asked, 2);
    assert.deepEqual([drained, clock.pending], [1, 0]);
  });

  it("has room when it has drained, however little it may hold back", async () => {
    const { clock, connection } = scripted({ options: { maxBufferedBytes: 65_536 } });
    let [held, drained] = [0, 0];
    const send = ({ length }: Uint8Array): void => {
      held += length;
    };
    const channel = connection.wrap({ label: "lane", buffered: () => held, send });
    channel.handle({ message: () => {}, closed: () => {}, drained: () => drained++ });
    channel.opened();
    const message = new Uint8Array(512);
    for (let sent = 0; sent < 128; sent++) channel.send(message);
    assert.throws(() => channel.send(message), { code: "overloaded" });
    await clock.advance(1_000);
    assert.equal(drained, 0, "the stack has taken nothing");
    held = 0;
    await clock.advance(4);
    assert.deepEqual([drained, clock.pending], [1, 0]);
    channel.send(message);
  });

  it("keeps the process up for a while after the end, where the stack wants that", async () => {
    const { clock, connection } = scripted({ lingerMs: 200 });
    const slept: number[] = [];
    clock.sleep = async (ms) => void slept.push(ms);
    connection.close();
    connection.close();
    assert.deepEqual(slept, [200]);
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

interface Scripted {
  readonly clock: FakeClock;
  readonly end: End;
  readonly connection: Connection;
  /** What the stack says when it is asked. */
  readonly stack: { state: PeerConnectionState };
}

/** A connection whose stack does nothing by itself, and what it told. */
function scripted({ lingerMs = 0, options = {} as Partial<PeerConnectionOptions> } = {}): Scripted {
  const clock = new FakeClock();
  const stack: Scripted["stack"] = { state: "new" };
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
        const facts = { clock, maxMessageBytes: 1_000, lowWaterEvents: false, lingerMs };
        return new Connection(facts, options, handler, (connection) => {
          made.push(connection);
          return { ...idle, state: () => stack.state };
        });
      },
    },
    options,
  );
  const [connection] = made;
  assert.ok(connection);
  return { clock, end, connection, stack };
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
