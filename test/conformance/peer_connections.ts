import assert from "node:assert/strict";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { describe, it } from "node:test";
import { ActrError } from "../../src/errors.ts";
import type { IceCandidate, PeerConnections } from "../../src/ports/peer_connections.ts";
import { sameBytes } from "./bytes.ts";
import { type ConnectionPair, connectionPair, End, negotiate } from "./connection_pair.ts";

const limit = { timeout: 60_000 };

/** Some stacks lose what goes beyond 16 MiB of their own buffer without a word. */
const floodBytes = 25_000_000;

/** What every PeerConnections adapter must do; it runs on loopback with real connections. `open` is called for each test. */
export function peerConnectionsConformance(
  name: string,
  open: () => Promise<PeerConnections>,
): void {
  describe(`peer connections: ${name}`, () => {
    negotiation(open);
    candidates(open);
    messages(open);
    pressure(open);
    ending(open);
  });
}

type Open = () => Promise<PeerConnections>;

function negotiation(open: Open): void {
  it("opens lanes by label, carries bytes both ways and says how it got there", limit, async () => {
    using pair = await connectionPair(await open(), { lanes: { first: {}, second: {} } });
    const { a, b } = pair;
    for (const label of ["first", "second"]) {
      a.lane(label).channel.send(bytesOf(label));
      b.lane(label).channel.send(bytesOf(`${label} back`));
    }
    for (const label of ["first", "second"]) {
      await b.lane(label).until(() => b.lane(label).messages.length === 1);
      await a.lane(label).until(() => a.lane(label).messages.length === 1);
      assert.deepEqual(b.lane(label).messages, [bytesOf(label)]);
      assert.deepEqual(a.lane(label).messages, [bytesOf(`${label} back`)]);
    }
    assert.equal(a.lane("first").opens, 1);
    assert.notEqual((await a.connection.candidatePair())?.local, undefined);
    assert.notEqual((await b.connection.candidatePair())?.remote, "relay");
  });

  it("tells each state once, whatever the stack repeats", limit, async () => {
    using pair = await connectionPair(await open());
    await pair.a.until(() => pair.a.states.includes("connected"));
    await pair.b.until(() => pair.b.states.includes("connected"));
    // Another round makes some stacks say `connected` again.
    await negotiate(pair.a, pair.b);
    await echo(pair);
    for (const { states, connection } of [pair.a, pair.b]) {
      // A quick stack may leave out `connecting`.
      assert.deepEqual(
        states.filter((state) => state !== "connecting"),
        ["connected"],
      );
      assert.ok(states.lastIndexOf("connecting") <= 0, `told ${states}`);
      assert.equal(connection.state, "connected");
    }
  });

  it("takes the peer's offer in place of its own on a live connection", limit, async () => {
    using pair = await connectionPair(await open());
    await pair.b.connection.createOffer();
    await negotiate(pair.a, pair.b);
    await echo(pair);
  });

  it("restarts ICE with new fragments under open channels, where it can", limit, async (t) => {
    const stack = await open();
    using pair = await connectionPair(stack);
    const { a, b } = pair;
    if (!stack.capabilities.iceRestart) {
      const refused = a.connection.createOffer({ iceRestart: true });
      await assert.rejects(refused, { code: "not_implemented" });
      return t.skip("this stack cannot restart ICE");
    }
    const before = a.candidates[0]?.usernameFragment;
    const known = a.candidates.length;
    await negotiate(a, b, { iceRestart: true });
    await a.until(() => a.candidates.length > known);
    assert.notEqual(a.candidates[known]?.usernameFragment, before);
    await echo(pair);
  });

  it("refuses a description that is none, and lives on", limit, async () => {
    const end = new End(await open(), {});
    const garbage = end.connection.setRemote({ type: "offer", sdp: "garbage" });
    await assert.rejects(garbage, { code: "invalid_argument" });
    end.createChannel("lane");
    assert.match((await end.connection.createOffer()).sdp, /^m=application /m);
    end.connection.close();
  });
}

function candidates(open: Open): void {
  it("tells complete candidates after their description", limit, async () => {
    const stack = await open();
    const [a, b] = [new End(stack, {}), new End(stack, {})];
    a.createChannel("lane");
    const offer = await a.connection.createOffer();
    assert.equal(a.candidates.length, 0);
    await b.connection.setRemote(offer);
    const answer = await b.connection.createAnswer();
    assert.equal(b.candidates.length, 0);
    await a.connection.setRemote(answer);
    for (const [end, { sdp }] of [
      [a, offer],
      [b, answer],
    ] as const) {
      await end.until(() => end.candidates.length > 0);
      const [, fragment] = /^a=ice-ufrag:(\S+)/m.exec(sdp) ?? [];
      for (const { candidate, sdpMid, sdpMLineIndex, usernameFragment } of end.candidates) {
        assert.match(candidate, /^candidate:\S/);
        assert.deepEqual([sdpMid, sdpMLineIndex, usernameFragment], ["0", 0, fragment]);
      }
      end.connection.close();
    }
  });

  const habits: Record<string, (candidate: IceCandidate) => IceCandidate> = {
    "no index": (candidate) => ({ ...candidate, sdpMLineIndex: null }),
    "an index alone": ({ candidate, sdpMLineIndex }) => ({
      candidate,
      sdpMLineIndex: sdpMLineIndex ?? 0,
    }),
    "nothing but the candidate": ({ candidate }) => ({ candidate }),
    "empty and null fields": ({ candidate }) => ({
      candidate,
      sdpMid: "",
      sdpMLineIndex: null,
      usernameFragment: null,
    }),
  };
  for (const [habit, relay] of Object.entries(habits)) {
    it(`connects to a peer whose candidates have ${habit}`, limit, async () => {
      using pair = await connectionPair(await open(), { relay });
      await echo(pair);
    });
  }

  it("keeps candidates that come before the description", limit, async () => {
    using pair = await connectionPair(await open(), { early: true });
    await echo(pair);
  });

  it("takes an empty candidate for the end and refuses what is none", limit, async () => {
    using pair = await connectionPair(await open());
    const { connection } = pair.a;
    await connection.addCandidate({ candidate: "" });
    const garbage = connection.addCandidate({ candidate: "candidate:garbage" });
    await assert.rejects(garbage, { code: "invalid_argument" });
    await echo(pair);
  });
}

function messages(open: Open): void {
  it("refuses an empty message as misuse and stays open", limit, async () => {
    using pair = await connectionPair(await open());
    assert.throws(() => pair.sender.channel.send(new Uint8Array()), RangeError);
    await echo(pair);
    assert.equal(pair.receiver.messages.length, 1);
  });

  it("carries a message of the limit and refuses one byte more", limit, async () => {
    const stack = await open();
    using pair = await connectionPair(stack);
    const { channel } = pair.sender;
    assert.equal(channel.maxMessageBytes, stack.capabilities.maxMessageBytes);
    const whole = pattern(channel.maxMessageBytes);
    channel.send(whole);
    assert.throws(() => channel.send(new Uint8Array(channel.maxMessageBytes + 1)), {
      code: "invalid_argument",
    });
    await pair.receiver.until(() => pair.receiver.messages.length === 1);
    assert.ok(sameBytes(pair.receiver.messages[0], whole));
    await echo(pair);
  });

  it("sends what a view shows and takes no hold of it", limit, async () => {
    using pair = await connectionPair(await open());
    const whole = pattern(100);
    const expected = whole.slice(10, 20);
    pair.sender.channel.send(whole.subarray(10, 20));
    whole.fill(0);
    await pair.receiver.until(() => pair.receiver.messages.length === 1);
    const [message] = pair.receiver.messages;
    assert.equal(message?.constructor, Uint8Array);
    assert.deepEqual(message, expected);
  });

  it("carries every message of an unordered lane while nothing is lost", limit, async () => {
    const lanes = { lane: { ordered: false, maxRetransmits: 3 } };
    using pair = await connectionPair(await open(), { lanes });
    const count = 200;
    for (let index = 0; index < count; index++) pair.sender.channel.send(Uint8Array.of(index));
    await pair.receiver.until(() => pair.receiver.messages.length === count);
    const seen = pair.receiver.messages.map(([value]) => value ?? -1).sort((x, y) => x - y);
    assert.deepEqual(
      seen,
      Array.from({ length: count }, (_, index) => index),
    );
  });
}

function pressure(open: Open): void {
  it("refuses a flood beyond the buffer, and all it accepted arrives in order", limit, async () => {
    using pair = await connectionPair(await open());
    const { channel } = pair.sender;
    // Large ones cost the sender little and the network much, so that a busy machine cannot turn the flood into a trickle.
    const message = pattern(channel.maxMessageBytes);
    const count = Math.ceil(floodBytes / message.length);
    let refused = 0;
    for (let index = 0; index < count; index++) {
      new DataView(message.buffer).setUint32(0, index);
      if (!accepts(channel, message)) {
        refused++;
        const before = pair.sender.drains;
        await pair.sender.until(() => pair.sender.drains > before);
        assert.ok(channel.bufferedAmount <= 1_835_008, `${channel.bufferedAmount} bytes held`);
        channel.send(message);
      }
      assert.ok(channel.bufferedAmount <= 2_097_152, `${channel.bufferedAmount} bytes held`);
    }
    await pair.receiver.until(() => pair.receiver.messages.length === count);
    assert.ok(refused > 0, "nothing was refused");
    const order = pair.receiver.messages.map((data) => new DataView(data.buffer).getUint32(0));
    assert.deepEqual(
      order,
      Array.from({ length: count }, (_, index) => index),
    );
    assert.equal(pair.receiver.bytes, count * message.length);
    assert.ok(sameBytes(pair.receiver.messages.at(-1), message));
  });

  it(
    "takes no more in one turn of the event loop than it may hold back, however fast it takes",
    limit,
    async () => {
      const message = pattern(16_384);
      const options = { maxBufferedBytes: 16 * message.length, lowWaterBytes: message.length };
      using pair = await connectionPair(await open(), { options });
      const { channel } = pair.sender;
      let sent = 0;
      for (let turn = 1; turn <= 4; turn++) {
        const before = sent;
        while (sent < 1_000 && accepts(channel, message)) sent++;
        assert.ok(sent - before <= 16, `${sent - before} messages in one turn`);
        await pair.sender.until(() => pair.sender.drains === turn);
      }
      assert.ok(sent > 16);
      await pair.receiver.until(() => pair.receiver.messages.length === sent);
    },
  );

  it("tells once that a buffer has drained, and that it is low then", limit, async () => {
    using pair = await connectionPair(await open(), { options: { lowWaterBytes: 50_000 } });
    const { channel } = pair.sender;
    const message = pattern(channel.maxMessageBytes);
    let sent = 0;
    while (sent < 400 && accepts(channel, message)) sent++;
    await pair.sender.until(() => pair.sender.drains === 1);
    assert.ok(channel.bufferedAmount <= 50_000, `${channel.bufferedAmount} bytes held`);
    await pair.receiver.until(() => pair.receiver.messages.length === sent);
    assert.equal(channel.bufferedAmount, 0);
    assert.equal(pair.sender.drains, 1);
  });

  it("tells that it has drained, however little it may hold back", limit, async () => {
    using pair = await connectionPair(await open(), { options: { maxBufferedBytes: 65_536 } });
    const { channel } = pair.sender;
    const message = pattern(8_192);
    let sent = 0;
    for (let drains = 1; drains <= 3; drains++) {
      while (accepts(channel, message)) sent++;
      await pair.sender.until(() => pair.sender.drains === drains);
      assert.equal(channel.bufferedAmount, 0);
    }
    await pair.receiver.until(() => pair.receiver.messages.length === sent);
  });

  it("closes when messages come that nobody hears, and says why", limit, async () => {
    using pair = await connectionPair(await open(), { options: { maxEarlyBytes: 10_000 } });
    const { a, b } = pair;
    b.hears = false;
    const unheard = a.createChannel("unheard");
    await unheard.until(() => unheard.channel.state === "open");
    const half = pattern(5_000 - 64);
    unheard.channel.send(half);
    unheard.channel.send(half);
    await echo(pair);
    assert.deepEqual([b.connection.state, b.errors], ["connected", []]);
    unheard.channel.send(Uint8Array.of(1));
    await b.until(() => b.states.includes("closed"));
    assert.deepEqual(
      b.errors.map(({ code }) => code),
      ["overloaded"],
    );
    assert.equal(pair.receiver.ends, 1);
    await pair.sender.until(() => pair.sender.ends === 1);
  });

  it("holds back no more than its option says", limit, async () => {
    const options = { maxBufferedBytes: 10_000, lowWaterBytes: 1_000 };
    using pair = await connectionPair(await open(), { options });
    assert.throws(() => pair.sender.channel.send(pattern(10_001)), { code: "overloaded" });
    pair.sender.channel.send(pattern(10_000));
    await pair.receiver.until(() => pair.receiver.bytes === 10_000);
  });
}

function ending(open: Open): void {
  for (const closer of ["a", "b"] as const) {
    it(`tells the other end when the ${closer === "a" ? "offerer" : "answerer"} closes`, {
      timeout: 60_000,
    }, async () => {
      using pair = await connectionPair(await open());
      const other = closer === "a" ? pair.receiver : pair.sender;
      pair[closer].connection.close();
      await other.until(() => other.ends === 1);
      assert.equal(other.channel.state, "closed");
      assert.throws(() => other.channel.send(Uint8Array.of(1)), { code: "unavailable" });
    });
  }

  it("closes at once and twice, telling channels first, and refuses all after", limit, async () => {
    using pair = await connectionPair(await open());
    const { connection, states } = pair.a;
    const { channel } = pair.sender;
    connection.close();
    assert.deepEqual([pair.sender.ends, connection.state, states.at(-1)], [1, "closed", "closed"]);
    connection.close();
    assert.throws(() => channel.send(Uint8Array.of(1)), { code: "unavailable" });
    assert.throws(() => connection.createChannel("late"), { code: "unavailable" });
    assert.equal(channel.bufferedAmount, 0);
    await assert.rejects(connection.createOffer(), { code: "unavailable" });
    await assert.rejects(connection.addCandidate({ candidate: "candidate:1" }), {
      code: "unavailable",
    });
    await pair.receiver.until(() => pair.receiver.ends === 1);
    assert.equal(states.filter((state) => state === "closed").length, 1);
    assert.equal(pair.sender.ends, 1);
  });

  it("leaves no socket behind after 20 pairs", limit, async (t) => {
    if (!existsSync("/proc/self/fd")) return t.skip("this system does not show descriptors");
    const stack = await open();
    const before = await settledSockets(0, 1_000);
    // Not all at once: a pair may hold fifty sockets.
    for (let round = 0; round < 5; round++) {
      const pairs = await Promise.all(Array.from({ length: 4 }, () => connectionPair(stack)));
      assert.ok(sockets() > before, "open pairs hold sockets");
      for (const pair of pairs) pair[Symbol.dispose]();
    }
    // A stack may keep a few of its own until they are collected, but none for each pair.
    const after = await settledSockets(before + 19, 15_000);
    assert.ok(after < before + 20, `${before} sockets before, ${after} after`);
  });
}

async function echo({ sender, receiver }: ConnectionPair): Promise<void> {
  const had = [sender.messages.length, receiver.messages.length] as const;
  sender.channel.send(Uint8Array.of(1, 2, 3));
  await receiver.until(() => receiver.messages.length > had[1]);
  receiver.channel.send(Uint8Array.of(4));
  await sender.until(() => sender.messages.length > had[0]);
}

function accepts(channel: ConnectionPair["sender"]["channel"], message: Uint8Array): boolean {
  try {
    channel.send(message);
    return true;
  } catch (error) {
    if (ActrError.is(error) && error.code === "overloaded") return false;
    throw error;
  }
}

function sockets(): number {
  const folder = "/proc/self/fd";
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`).startsWith("socket:");
    } catch {
      return false;
    }
  }).length;
}

/** The number of sockets once it is no more than `wanted`, or has not fallen for a while. */
async function settledSockets(wanted: number, quietMs: number): Promise<number> {
  let least = sockets();
  let fellAt = performance.now();
  while (least > wanted && performance.now() - fellAt < quietMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = sockets();
    if (now < least) [least, fellAt] = [now, performance.now()];
  }
  return least;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31) % 251);
}
