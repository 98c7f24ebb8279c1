import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { defaultGuestOptions } from "../../../src/guest/life/options.ts";
import { serveGuests } from "../../../src/guest/worker/serve_guests.ts";
import type { ThreadEvents } from "../../../src/guest/worker/thread.ts";
import { workerGuestHost } from "../../../src/guest/worker/worker_host.ts";
import type { GuestInstance, HostCalls } from "../../../src/ports/guest_host.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { allocateMessage } from "../../../src/protocol/pool.ts";
import { type Entered, FakeGuestHost } from "../../fixtures/fake_guest_host.ts";
import { callerId, chunk, dispatch, selfId } from "../../fixtures/guest_world.ts";

const { signal } = new AbortController();
const target = { kind: "host" } as const;

/** What a message takes along: bytes of all buffers under its payloads. */
function carried(message: unknown): number {
  if (message instanceof Uint8Array) return message.buffer.byteLength;
  if (typeof message !== "object" || message === null) return 0;
  return Object.values(message).reduce((sum: number, part) => sum + carried(part), 0);
}

/** A guest behind a thread that is none, with all that would have crossed. */
class NoThread {
  /** Bytes that each post takes along, and how many of them in buffers that are handed over. */
  readonly posted: (readonly [carried: number, moved: number])[] = [];
  readonly #clock = new FakeClock();

  #cross(message: unknown, moved: ArrayBuffer[], hear: (message: unknown) => void): void {
    const bytes = carried(message);
    if (bytes > 0) this.posted.push([bytes, moved.reduce((sum, one) => sum + one.byteLength, 0)]);
    hear(structuredClone(message, { transfer: moved }));
  }

  async instantiate(host: FakeGuestHost, calls: HostCalls): Promise<GuestInstance> {
    const startThread = (events: ThreadEvents) => {
      let hear = (_: unknown): void => {};
      const port = {
        post: (message: unknown, moved: ArrayBuffer[]) =>
          this.#cross(message, moved, events.message),
        listen(listener: (message: unknown) => void): void {
          hear = listener;
        },
      };
      serveGuests({ port, clock: this.#clock, host });
      const post = (message: unknown, moved: ArrayBuffer[]) => this.#cross(message, moved, hear);
      return { post, keepAlive() {}, end() {} };
    };
    const code = { kind: "script", binary: new Uint8Array() } as const;
    const worker = workerGuestHost({ clock: this.#clock, startThread });
    const image = await worker.load(code, defaultGuestOptions, signal);
    return image.instantiate(calls, signal);
  }
}

/** A part of the common pool, as answers of scripts are, and short messages of peers. */
function pooled(size: number): Uint8Array {
  const part = allocateMessage(size).fill(7);
  assert.ok(part.buffer.byteLength > size, "it is a part");
  return part;
}

describe("a part of a larger buffer", () => {
  const who = { token: 1n, selfId, requestId: "r" };

  it("crosses to a guest's thread alone, and its pool stays", async () => {
    const thread = new NoThread();
    const guest = await thread.instantiate(new FakeGuestHost(), () => ({ ok: undefined }));
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
    const thread = new NoThread();
    const guest = await thread.instantiate(new FakeGuestHost(script), ({ name }) => ({
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
    const thread = new NoThread();
    const guest = await thread.instantiate(new FakeGuestHost(), () => ({ ok: undefined }));
    const pool = new Uint8Array(50_000).fill(7);
    const envelope = { requestId: "r", routeKey: "r", payload: pool.subarray(1, 20_001) };
    await guest.enter({ name: "dispatch", envelope }, who);
    assert.deepEqual(thread.posted[0], [20_000, 20_000]);
    assert.equal(pool.length, 50_000);
  });
});
