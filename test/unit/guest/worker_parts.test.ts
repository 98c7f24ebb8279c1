import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lanes } from "../../../src/protocol/frame.ts";
import { allocateMessage } from "../../../src/protocol/pool.ts";
import { type Entered, FakeGuestHost } from "../../fixtures/fake_guest_host.ts";
import { callerId, chunk, dispatch, selfId } from "../../fixtures/guest_world.ts";
import { NoThread } from "../../fixtures/no_thread.ts";

const target = { kind: "host" } as const;

/** A part of the common pool, as answers of scripts are, and short messages of peers. */
function pooled(size: number): Uint8Array {
  const part = allocateMessage(size).fill(7);
  assert.ok(part.buffer.byteLength > size, "it is a part");
  return part;
}

describe("a part of a larger buffer", () => {
  const who = { token: 1n, selfId, requestId: "r" };

  it("crosses to a guest's thread alone, and its pool stays", async () => {
    const thread = new NoThread(new FakeGuestHost());
    const guest = await thread.instantiate();
    const payload = pooled(9);
    const asked = { requestId: "r", routeKey: "r", payload };
    await guest.enter({ name: "dispatch", envelope: asked }, who);
    await guest.enter({ name: "dispatch", envelope: asked }, { ...who, requestId: "other" });
    const given = chunk("s");
    assert.equal(given.name, "on-data-chunk");
    await guest.enter({ ...given, chunk: { ...given.chunk, payload } }, who);
    assert.deepEqual(
      thread.posted.map(([bytes]) => bytes),
      [9, 9, 9, 9, 9],
    );
    assert.deepEqual(payload, new Uint8Array(9).fill(7));
  });

  it("crosses from it alone: answers, calls and their answers", async () => {
    const parts = Array.from({ length: 4 }, () => pooled(5));
    const [answer, reply, asked, told] = parts as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const script = async ({ call, invocation: { token } }: Entered) => {
      await call({ name: "call", token, target, routeKey: "r", payload: asked });
      const { chunk: sent } = chunk("s") as { chunk: { streamId: string; sequence: bigint } };
      const one = { ...sent, payload: told, metadata: [] };
      await call({
        name: "send-data-chunk",
        token,
        target,
        chunk: one,
        lane: lanes.streamReliable,
      });
      return { ok: answer };
    };
    const thread = new NoThread(new FakeGuestHost(script));
    const guest = await thread.instantiate(({ name }) => ({
      ok: name === "call" ? reply : undefined,
    }));
    const outcome = await guest.enter(dispatch("abc"), { ...who, callerId });
    assert.deepEqual(outcome, { ok: new Uint8Array(5).fill(7) });
    assert.deepEqual(
      thread.posted.map(([bytes]) => bytes),
      [3, 5, 5, 5, 5],
    );
    for (const part of parts) assert.deepEqual(part, new Uint8Array(5).fill(7), "its pool stays");
  });

  it("is cut out once where it is long: the cutting is handed over", async () => {
    const thread = new NoThread(new FakeGuestHost());
    const guest = await thread.instantiate();
    const pool = new Uint8Array(50_000).fill(7);
    const envelope = { requestId: "r", routeKey: "r", payload: pool.subarray(1, 20_001) };
    await guest.enter({ name: "dispatch", envelope }, who);
    assert.deepEqual(thread.posted[0], [20_000, 20_000]);
    assert.equal(pool.length, 50_000);
  });
});
