import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { SocketHandler } from "../../../src/ports/sockets.ts";
import { decodeFrames, encodeFrames, type Frame } from "../../../src/rendezvous/cluster/frames.ts";
import {
  type Line,
  type LinkEnds,
  ServerLink,
} from "../../../src/rendezvous/cluster/server_link.ts";

const proof = new Uint8Array(32).fill(3);
const hello: Frame = { kind: "hello", server: 2, proof };

/** A line whose other end is the test, and which takes nothing away by itself. */
class HeldLine implements Line {
  bufferedAmount = 0;
  readonly sent: Uint8Array[] = [];
  ended: string | undefined;
  #handler: SocketHandler | undefined;

  handle(handler: SocketHandler): void {
    this.#handler = handler;
  }
  send(data: Uint8Array): void {
    this.sent.push(data);
    this.bufferedAmount += data.length;
  }
  close(): void {
    this.ended = "closed";
  }
  terminate(): void {
    this.ended = "terminated";
  }
  says(...frames: readonly Frame[]): void {
    this.#handler?.message(encodeFrames(frames));
  }
  junk(): void {
    this.#handler?.message(Uint8Array.of(0xff, 1, 2));
  }
}

class Bench {
  readonly clock = new FakeClock();
  readonly line = new HeldLine();
  readonly heard: string[] = [];
  readonly link: ServerLink;

  constructor(ends: Partial<LinkEnds> = {}) {
    this.link = new ServerLink(this.line, { self: 1, peer: 2, ...ends }, this.clock, {
      met: () => void this.heard.push("met"),
      frames: (frames) => void this.heard.push(...frames.map(({ kind }) => kind)),
      ended: (_link, reason) => void this.heard.push(`ended: ${reason}`),
    });
  }
}

const relay = (bytes: number): Frame => {
  return { kind: "deliver", to: "x", envelope: new Uint8Array(bytes) };
};

describe("a link between servers", () => {
  it("sends what one turn has to say in one message, after its greeting", async () => {
    const { link, clock, line, heard } = new Bench();
    link.send({ kind: "beat" });
    link.send({ kind: "changed" });
    await clock.advance(0);
    link.send({ kind: "synced" });
    link.close("the test ends");
    const sent = line.sent.map((data) => decodeFrames(data).map(({ kind }) => kind));
    assert.deepEqual(sent, [["hello", "beat", "changed"], ["synced"]]);
    assert.deepEqual(heard, ["ended: the test ends"]);
  });

  it("hears nothing before the other side has shown who it is", () => {
    const bench = new Bench({ expects: proof });
    bench.line.says(hello, { kind: "beat" });
    bench.line.says({ kind: "synced" });
    assert.deepEqual(bench.heard, ["met", "beat", "synced"]);
    const wrong: Frame[] = [
      { kind: "beat" },
      { ...hello, server: 3 },
      { ...hello, proof: new Uint8Array(32) },
      { ...hello, proof: new Uint8Array(0) },
    ];
    for (const first of wrong) {
      const { line, heard } = new Bench({ expects: proof });
      line.says(first, { kind: "synced" });
      assert.equal(line.ended, "terminated");
      assert.equal(heard.length, 1);
      assert.match(heard[0] ?? "", /^ended: /);
    }
  });

  it("ends with what makes no sense", () => {
    const { line, heard, link } = new Bench();
    line.junk();
    assert.equal(line.ended, "terminated");
    assert.match(heard[0] ?? "", /makes no sense/);
    link.send({ kind: "beat" });
    assert.deepEqual([line.sent.length, heard.length], [0, 1], "it is over");
  });

  it("refuses relays, then gives up, when the other side does not read", () => {
    const { link, line } = new Bench();
    let relays = 0;
    for (; !link.congested; relays++) link.send(relay(60_000));
    assert.ok(relays * 60_000 > 3_900_000 && relays * 60_000 < 4_300_000, `${relays} relays`);
    assert.ok(link.busy);
    assert.ok(
      line.sent.every(({ length }) => length < 400_000),
      "messages stay short",
    );
    line.bufferedAmount = 0;
    assert.ok(!link.congested, "it reads again");
    for (let sent = 0; sent < 40_000_000; sent += 60_000) link.send(relay(60_000));
    assert.equal(line.ended, "terminated");
    assert.ok(line.bufferedAmount < 34_000_000);
  });
});
