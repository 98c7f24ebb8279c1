import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Expiring } from "../../../src/session/deadlines.ts";
import { BoundedWait, type WaitBounds } from "../../../src/streams/bounded_wait.ts";

/** Deadlines that the test lets pass. */
class Watched {
  readonly items = new Set<Expiring>();

  add(item: Expiring): number {
    this.items.add(item);
    return 1;
  }

  remove(item: Expiring): void {
    this.items.delete(item);
  }
}

const bounds: WaitBounds = { what: "sending", deadline: 5, signal: undefined };

describe("bounded wait", () => {
  it("ends as its work does, and leaves neither deadline nor listener behind", async () => {
    const watched = new Watched();
    const { signal } = new AbortController();
    assert.equal(await BoundedWait.for(Promise.resolve(), 7, watched, { ...bounds, signal }), 7);
    const failed = BoundedWait.for(Promise.reject(new Error("no")), 7, watched, bounds);
    await assert.rejects(failed, { message: "no" });
    assert.equal(watched.items.size, 0);
  });

  it("ends by its deadline or its signal, whatever becomes of the work", async () => {
    const watched = new Watched();
    const late = BoundedWait.for(new Promise(() => {}), 7, watched, bounds);
    for (const item of watched.items) item.expire();
    await assert.rejects(late, { code: "timed_out", message: /^sending/ });
    const abort = new AbortController();
    const { signal } = abort;
    const stopped = BoundedWait.for(new Promise(() => {}), 7, watched, { ...bounds, signal });
    abort.abort(new Error("enough"));
    await assert.rejects(stopped, { message: "enough" });
    assert.equal(watched.items.size, 0);
  });
});
