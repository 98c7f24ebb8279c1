import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { readBody } from "../../src/read_body.ts";

/** A request whose body comes as it is told to. */
function slow() {
  let give: ReadableStreamDefaultController<Uint8Array> | undefined;
  const told: { reason?: unknown } = {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      give = controller;
    },
    cancel(reason) {
      told.reason = reason;
    },
  });
  const init = { method: "POST", body, duplex: "half" };
  const request = new Request("http://node/", init as RequestInit);
  return { request, told, body: give as ReadableStreamDefaultController<Uint8Array> };
}

describe("the body of a request", () => {
  it("is read whole, and leaves no timer", async () => {
    const clock = new FakeClock();
    const { request, body } = slow();
    const read = readBody(request, { clock, maxBytes: 4 });
    body.enqueue(Uint8Array.of(1, 2));
    body.enqueue(Uint8Array.of(3, 4));
    body.close();
    assert.deepEqual(await read, Uint8Array.of(1, 2, 3, 4));
    const none = new Request("http://node/");
    assert.deepEqual(await readBody(none, { clock, maxBytes: 4 }), new Uint8Array());
    assert.equal(clock.pending, 0);
  });

  it("is refused as soon as it is too long, or says that it will be", async () => {
    const clock = new FakeClock();
    const { request, body } = slow();
    const read = readBody(request, { clock, maxBytes: 4 });
    body.enqueue(new Uint8Array(5));
    await assert.rejects(read, { code: "message.incoming_too_long", message: /5 bytes.*4/ });
    const announced = new Request("http://node/", {
      method: "POST",
      body: "12345",
      headers: { "content-length": "5" },
    });
    const refused = readBody(announced, { clock, maxBytes: 4 });
    await assert.rejects(refused, { code: "message.incoming_too_long" });
    assert.equal(announced.bodyUsed, false);
    assert.equal(clock.pending, 0);
  });

  it("is given up when it has not come within a minute", async () => {
    const clock = new FakeClock();
    const { request, body, told } = slow();
    const read = readBody(request, { clock, maxBytes: 1_000_000 });
    const late = assert.rejects(read, { code: "timed_out", message: /60000 ms/ });
    for (let second = 0; second < 60; second++) {
      body.enqueue(Uint8Array.of(second));
      await clock.advance(1_000);
    }
    await late;
    assert.equal((told.reason as { code?: string }).code, "timed_out");
    assert.equal(clock.pending, 0);
  });
});
