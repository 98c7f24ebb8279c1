import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InspectorSocket } from "../../../../src/http/inspector/inspector_socket.ts";
import type { Socket, SocketHandler } from "../../../../src/ports/sockets.ts";
import { inspectorJson } from "../../../../src/protocol/actors/inspector_json.ts";
import { encodeCbor } from "../../../../src/protocol/cbor/encode.ts";
import { openNode } from "./support.ts";

/** A socket whose other end reads when the test says so. */
class StubSocket implements Socket {
  bufferedAmount = 0;
  readonly protocol = "";
  readonly texts: string[] = [];
  end: string | undefined;
  handler: SocketHandler | undefined;

  handle(handler: SocketHandler): void {
    this.handler = handler;
  }
  send(): void {
    assert.fail("bytes");
  }
  sendText(text: string): void {
    this.texts.push(text);
  }
  close(code: number, reason: string): void {
    this.end = `${code} ${reason}`;
  }
  ping(): boolean {
    return true;
  }
  pause(): boolean {
    return true;
  }
  resume(): void {}
  terminate(): void {}
}

describe("an inspector that lags", () => {
  it("loses the oldest of more than 32 changes, goes on with the others, and ends when it reads nothing", async () => {
    await using t = await openNode();
    const id = await t.actors.room.get("a").resolve();
    const { actors: host, components } = t.node;
    assert.ok(host !== undefined);
    const { clock, log, store } = components;
    const socket = new StubSocket();
    const inspector = new InspectorSocket(
      socket,
      inspectorJson,
      { host, clock, log, store },
      () => {},
    );
    await inspector.open(async () => id);
    const before = socket.texts.length;
    socket.bufferedAmount = 300_000;
    for (let n = 0; n < 40; n++) inspector.state(encodeCbor(n));
    assert.equal(socket.texts.length, before);
    socket.bufferedAmount = 0;
    socket.handler?.drained?.();
    const shown = socket.texts.slice(before).map((text) => JSON.parse(text).body.val.state);
    assert.deepEqual(
      shown,
      Array.from({ length: 32 }, (_, n) => n + 8),
    );
    inspector.state(encodeCbor("x".repeat(2_000_000)));
    assert.match(JSON.parse(socket.texts.at(-1) ?? "").body.val.message, /2000005 bytes/);
    socket.bufferedAmount = 17_000_000;
    socket.handler?.text?.('{"body":{"tag":"RpcsListRequest","val":{"id":1}}}');
    await t.clock.settle();
    assert.equal(socket.end, "1011 connection.slow_reader");
  });
});
