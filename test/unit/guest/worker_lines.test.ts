import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import type { HostCall, Invocation } from "../../../src/ports/guest_host.ts";
import { type Entered, FakeGuestHost } from "../../fixtures/fake_guest_host.ts";
import { callerId, dispatch, selfId, textOf } from "../../fixtures/guest_world.ts";
import { NoThread } from "../../fixtures/no_thread.ts";

const who = { token: 1n, selfId, requestId: "r" };
const done = { ok: new Uint8Array() };

describe("a guest behind its thread", () => {
  it("is told who it is, who calls, and what, each time as it is then", async () => {
    const told: Invocation[] = [];
    const requests: string[] = [];
    const host = new FakeGuestHost(({ entry, invocation }) => {
      told.push(invocation);
      if (entry.name === "dispatch") requests.push(entry.envelope.requestId);
      return done;
    });
    const guest = await new NoThread(host).instantiate();
    const other = { ...selfId, serial: 99n };
    const invocations: Invocation[] = [
      { ...who, callerId },
      { ...who, token: 2n },
      { ...who, token: 3n, selfId: other, callerId: other },
      { ...who, token: 4n, selfId: other, requestId: "another" },
    ];
    for (const invocation of invocations) await guest.enter(dispatch("hi", "r"), invocation);
    assert.deepEqual(told, invocations);
    assert.deepEqual(requests, ["r", "r", "r", "r"]);
  });

  it("may ask as often as it likes, so many at once", async () => {
    const script = async ({ call, invocation: { token } }: Entered) => {
      for (let count = 0; count < 3; count++) {
        const answer = await call({ name: "discover", token, type: selfId.type });
        assert.deepEqual(answer, { ok: selfId });
      }
      return done;
    };
    const thread = new NoThread(new FakeGuestHost(script));
    const guest = await thread.instantiate(() => ({ ok: selfId }), { maxHostCalls: 1 });
    assert.deepEqual(await guest.enter(dispatch("a"), who), done);
  });

  it("tells how many of its lines were dropped, with the next", async () => {
    const script = ({ entry, call, invocation: { token } }: Entered) => {
      const level = "error";
      for (const message of textOf(entry))
        void call({ name: "log-message", token, level, message });
      return done;
    };
    const lines: (HostCall & { name: "log-message" })[] = [];
    const thread = new NoThread(new FakeGuestHost(script));
    const guest = await thread.instantiate(
      (call) => {
        if (call.name === "log-message") lines.push(call);
        return { ok: undefined };
      },
      { logLinesPerSecond: 1 },
    );
    await guest.enter(dispatch("abc"), who);
    await thread.clock.advance(1_000);
    await guest.enter(dispatch("d"), who);
    assert.deepEqual(
      lines.map(({ level, message }) => `${level} ${message}`),
      ["error a", "warn 2 lines dropped", "error d"],
    );
  });

  it("fails with an error that is told to as many as it was to be", async () => {
    const host = new FakeGuestHost(({ entry }) => {
      const isPublic = textOf(entry) === "open";
      throw new ActrError("overloaded", "full", { public: isPublic, retryAfterMs: 7 });
    });
    for (const [text, isPublic] of [
      ["open", true],
      ["closed", false],
    ] as const) {
      const guest = await new NoThread(host).instantiate();
      const expected = { code: "overloaded", message: "full", retryAfterMs: 7, public: isPublic };
      await assert.rejects(guest.enter(dispatch(text), who), expected);
    }
  });
});

describe("the thread of a guest", () => {
  it("keeps the process alive for as long as something is awaited of it", async () => {
    let end = (): void => {};
    const held = new Promise<typeof done>((resolve) => {
      end = () => resolve(done);
    });
    const thread = new NoThread(new FakeGuestHost(() => held));
    const guest = await thread.instantiate();
    assert.equal(thread.kept.at(-1), false);
    const before = thread.kept.length;
    const both = [guest.enter(dispatch("a"), who), guest.enter(dispatch("b"), who)];
    assert.deepEqual(thread.kept.slice(before), [true]);
    end();
    await Promise.all(both);
    assert.deepEqual(thread.kept.slice(before), [true, false]);
    guest.discard();
    assert.deepEqual(thread.kept.slice(before), [true, false, true]);
    await thread.clock.settle();
    assert.deepEqual(thread.kept.slice(before), [true, false, true, false]);
    assert.equal(thread.clock.pending, 0, "nothing waits for a thread that has answered");
    assert.equal(thread.ended, false);
  });

  it("is ended when nobody waits any more for what it makes", async () => {
    const host = new FakeGuestHost();
    const thread = new NoThread(host);
    const image = await thread.load();
    host.onInstantiate = () => new Promise(() => {});
    const leave = new AbortController();
    const made = image.instantiate(() => ({ ok: undefined }), leave.signal);
    const gone = assert.rejects(made, /gone/);
    await thread.clock.settle();
    assert.equal(thread.ended, false);
    leave.abort(new Error("gone"));
    await gone;
    assert.equal(thread.ended, true);
  });
});
