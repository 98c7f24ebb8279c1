import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { Socket, SocketHandler } from "../../../src/ports/sockets.ts";
import { encodeFrame } from "../../../src/protocol/frame.ts";
import { KeepAlive } from "../../../transports/keep_alive.ts";
import { defaultLinkOptions, type LinkOptions } from "../../../transports/link_options.ts";
import { SocketLink } from "../../../transports/socket_link.ts";
import { nearId, silent } from "../../adapters/transport_peers.ts";
import { numbered, numberOf, sized, take } from "../../conformance/transport_fixture.ts";

/** A socket whose every event the test makes. */
class ScriptedSocket implements Socket {
  bufferedAmount = 0;
  readonly protocol = "";
  pauses = true;
  pings = true;
  calls: string[] = [];
  handler: SocketHandler = { message: () => {}, closed: () => {} };

  send(data: Uint8Array): void {
    this.bufferedAmount += data.length;
  }

  sendText(): void {}

  ping(): boolean {
    this.calls.push("ping");
    return this.pings;
  }

  pause(): boolean {
    this.calls.push("pause");
    return this.pauses;
  }

  resume(): void {
    this.calls.push("resume");
  }

  close(code: number): void {
    this.calls.push(`close ${code}`);
  }

  terminate(): void {
    this.calls.push("terminate");
  }

  handle(handler: SocketHandler): void {
    this.handler = handler;
  }
}

interface Scene {
  readonly clock: FakeClock;
  readonly socket: ScriptedSocket;
  readonly link: SocketLink;
  readonly warnings: unknown[];
}

function scene(options: Partial<LinkOptions> = {}): Scene {
  const clock = new FakeClock();
  const socket = new ScriptedSocket();
  const warnings: unknown[] = [];
  const log = {
    ...silent,
    warn: (_event: string, attributes: unknown) => void warnings.push(attributes),
  };
  const resolved = { ...defaultLinkOptions, ...options };
  const keepAlive = new KeepAlive(clock, resolved.pingIntervalMs);
  const facts = { transport: "test", peer: nearId, direction: "inbound" } as const;
  const link = new SocketLink(socket, facts, { clock, log, keepAlive }, resolved);
  return { clock, socket, link, warnings };
}

describe("socket link: receiving", () => {
  it("gives out what had arrived when the link was lost, then ends", async () => {
    const { socket, link } = scene();
    for (const index of [1, 2]) socket.handler.message(encodeFrame(numbered(index)));
    socket.handler.closed({ code: 1006, reason: "" });
    assert.deepEqual((await take(link, 9)).map(numberOf), [1, 2]);
    assert.equal((await link.closed).by, "lost");
  });

  it("pauses the socket above the limit and resumes at half of it", async () => {
    const { socket, link } = scene({ receiveBytes: 4_000 });
    for (let count = 0; count < 4; count++) socket.handler.message(encodeFrame(sized(1_000)));
    assert.deepEqual(socket.calls, ["pause"]);
    await take(link, 2);
    assert.deepEqual(socket.calls, ["pause"]);
    await take(link, 1);
    assert.deepEqual(socket.calls, ["pause", "resume"]);
  });

  it("counts empty frames against the limit too", () => {
    const { socket } = scene({ receiveBytes: 4_000 });
    for (let count = 0; count < 63; count++) socket.handler.message(encodeFrame(sized(0)));
    assert.deepEqual(socket.calls, ["pause"]);
  });

  it("ends the link over the hard limit where the runtime cannot pause", async () => {
    const { socket, link } = scene({ receiveBytes: 1_000, maxReceiveBytes: 5_000 });
    socket.pauses = false;
    for (let count = 0; count < 5; count++) socket.handler.message(encodeFrame(sized(1_000)));
    assert.deepEqual(socket.calls, ["pause", "terminate"]);
    assert.equal((await link.closed).by, "lost");
  });

  it("counts malformed messages and logs them ever more rarely", () => {
    const { socket, link, warnings } = scene();
    for (let count = 0; count < 100; count++) socket.handler.message(Uint8Array.of(99, 0, 0, 0, 0));
    assert.equal(link.malformedFrames, 100);
    assert.equal(warnings.length, 7);
  });
});

describe("socket link: sending", () => {
  it("returns one and the same promise while there is room", () => {
    const { link } = scene();
    assert.equal(link.send(numbered(1)), link.send(numbered(2)));
  });

  it("waits above the high-water mark until the socket has drained", async () => {
    const { socket, link } = scene({ highWaterBytes: 1_000 });
    let resolved = false;
    const waiting = link.send(sized(2_000)).then(() => {
      resolved = true;
    });
    await Promise.resolve();
    assert.equal(resolved, false);
    socket.bufferedAmount = 0;
    socket.handler.drained?.();
    await waiting;
  });

  it("tells who closed by the code of the socket", async () => {
    for (const [code, by] of [
      [1000, "remote"],
      [1006, "lost"],
      [1009, "lost"],
    ] as const) {
      const { socket, link } = scene();
      socket.handler.closed({ code, reason: "why" });
      assert.deepEqual(await link.closed, { by, reason: "why" });
    }
  });
});

describe("socket link: keep-alive", () => {
  it("pings each interval and ends after two without a sign of life", async () => {
    const { clock, socket, link } = scene();
    await clock.advance(15_000);
    socket.handler.pong?.();
    await clock.advance(30_000);
    assert.deepEqual(socket.calls, ["ping", "ping", "ping"]);
    await clock.advance(15_000);
    assert.deepEqual(socket.calls.at(-1), "terminate");
    assert.equal((await link.closed).by, "lost");
    assert.equal(clock.pending, 0);
  });

  it("measures how long a pong takes, from the oldest ping that it may answer", async () => {
    const { clock, socket, link } = scene({ pingIntervalMs: 1_000 });
    assert.equal(link.figures.rttMs, undefined);
    await clock.advance(1_000);
    await clock.advance(40);
    socket.handler.pong?.();
    assert.equal(link.figures.rttMs, 40);
    await clock.advance(2_000);
    socket.handler.pong?.();
    assert.equal(link.figures.rttMs, 1_040);
  });

  it("counts frames and bytes both ways", () => {
    const { socket, link } = scene();
    void link.send(sized(5));
    socket.handler.message(encodeFrame(sized(7)));
    const { sentFrames, sentBytes, receivedFrames, receivedBytes } = link.figures;
    assert.deepEqual([sentFrames, sentBytes, receivedFrames, receivedBytes], [1, 5, 1, 7]);
  });

  it("takes a message for a sign of life", async () => {
    const { clock, socket } = scene();
    for (let round = 0; round < 5; round++) {
      await clock.advance(29_000);
      socket.handler.message(encodeFrame(numbered(round)));
    }
    assert.ok(!socket.calls.includes("terminate"));
  });

  it("does not count silence while it does not read, or where the runtime pings by itself", async () => {
    const paused = scene({ receiveBytes: 10 });
    paused.socket.handler.message(encodeFrame(numbered(1)));
    const native = scene();
    native.socket.pings = false;
    for (const { clock, socket } of [paused, native]) {
      await clock.advance(150_000);
      assert.ok(!socket.calls.includes("terminate"));
    }
  });

  it("proves that it works by an answer to a ping, within the time given", async () => {
    const { clock, socket, link } = scene();
    const proven = link.recover(1_000);
    socket.handler.pong?.();
    assert.equal(await proven, true);
    const silent = link.recover(1_000);
    await clock.advance(1_000);
    assert.equal(await silent, false);
    const both = Promise.all([link.recover(1_000), link.recover(500)]);
    socket.handler.pong?.();
    assert.deepEqual(await both, [true, true]);
    const ended = link.recover(1_000);
    socket.handler.closed({ code: 1006, reason: "" });
    assert.equal(await ended, false);
    assert.equal(await link.recover(1_000), false);
    assert.equal(clock.pending, 0);
  });

  it("does not prove that it works where it cannot ask", async () => {
    const { clock, socket, link } = scene();
    socket.pings = false;
    assert.equal(await link.recover(1_000), false);
    socket.handler.closed({ code: 1000, reason: "" });
    assert.equal(clock.pending, 0);
  });
});
