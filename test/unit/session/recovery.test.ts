import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { Barrier } from "../../../src/session/barrier.ts";
import { FakeLink, peerId, type Sessions, sessions } from "./support.ts";

const never = new AbortController().signal;
const far = peerId(2);
const farKey = formatActrId(far);

/** A session whose link recovers; `prove` says whether it works. One that `tells` when it works may take its time. */
async function guarded({
  tells = false,
} = {}): Promise<Sessions & { readonly link: FakeLink; prove: (works: boolean) => void }> {
  const t = sessions();
  let prove: (works: boolean) => void = () => {};
  const link = Object.assign(new FakeLink(far), {
    recover: () =>
      new Promise<boolean>((resolve) => {
        prove = resolve;
      }),
    ...(tells ? { onWorking: () => {} } : {}),
  });
  t.transport.onDial = async () => link;
  await t.manager.acquire(far, farKey, never);
  t.manager.guard();
  return Object.assign(t, { link, prove: (works: boolean) => prove(works) });
}

describe("recovery of links", () => {
  it("a request is refused at once, with the time that is left", async () => {
    const { clock, manager, transport } = await guarded();
    assert.equal(manager.requestLink(farKey), undefined);
    await clock.advance(2_000);
    await assert.rejects(manager.acquire(far, farKey, never), (error) => {
      assert.ok(ActrError.is(error));
      assert.deepEqual([error.code, error.retryAfterMs], ["connection_not_ready", 4_300]);
      return true;
    });
    assert.equal(transport.dials.length, 1);
  });

  it("guarding again keeps the time of the first", async () => {
    const { clock, manager } = await guarded();
    await clock.advance(5_000);
    manager.guard();
    await assert.rejects(manager.acquire(far, farKey, never), { retryAfterMs: 1_300 });
  });

  it("a link that works is used again; its time starts over when it is asked to prove that", async () => {
    const { clock, manager, link, prove } = await guarded({ tells: true });
    await clock.advance(60_000);
    manager.recover();
    await assert.rejects(manager.acquire(far, farKey, never), { retryAfterMs: 6_300 });
    prove(true);
    await clock.settle();
    assert.equal(manager.requestLink(farKey), link);
  });

  it("asking a link again wins it no time, unless the network was gone in between", async () => {
    const { clock, manager } = await guarded({ tells: true });
    const hints = async (expected: number): Promise<void> => {
      await clock.advance(500);
      await assert.rejects(manager.acquire(far, farKey, never), { retryAfterMs: expected });
    };
    manager.recover();
    await hints(5_800);
    manager.recover();
    await hints(5_300);
    manager.guard();
    await hints(4_800);
    manager.recover();
    await hints(5_800);
  });

  it("a request waits for a link that has to prove at once whether it works", async () => {
    for (const works of [true, false]) {
      const { clock, manager, transport, link, prove } = await guarded();
      const next = new FakeLink(far);
      transport.onDial = async () => next;
      manager.recover();
      const waiting = manager.acquire(far, farKey, never);
      await clock.advance(500);
      assert.equal(transport.dials.length, 1);
      prove(works);
      assert.equal(await waiting, works ? link : next);
      assert.equal(clock.pending, 0);
    }
  });

  it("a link that does not work is closed, and another one dialled", async () => {
    const { clock, manager, transport, link, prove } = await guarded();
    manager.recover();
    prove(false);
    await clock.settle();
    assert.equal(link.closedWith?.by, "local");
    assert.equal(manager.size, 0);
    const next = new FakeLink(far);
    transport.onDial = async () => next;
    assert.equal(await manager.acquire(far, farKey, never), next);
  });

  it("a patient request waits for the link, and gives it up after 6 s for another", async () => {
    for (const works of [true, false]) {
      const { clock, manager, transport, link, prove } = await guarded();
      const next = new FakeLink(far);
      transport.onDial = async () => next;
      const waiting = manager.acquire(far, farKey, never, { patient: true });
      manager.recover();
      await clock.advance(works ? 3_000 : 5_999);
      assert.equal(transport.dials.length, 1);
      if (works) prove(true);
      await clock.advance(1);
      assert.equal(await waiting, works ? link : next);
      assert.equal(clock.pending, 0);
    }
  });

  it("a healthy link serves while another recovers", async () => {
    const { manager, link } = await guarded();
    const second = new FakeLink(far, "outbound");
    manager.session(farKey)?.add(second);
    assert.equal(manager.requestLink(farKey), second);
    assert.equal(manager.session(farKey)?.replyLink(link), link, "an answer may still try");
  });

  it("a link that the network cannot take with it is not guarded", async () => {
    const { manager } = sessions();
    const link = await manager.acquire(far, farKey, never);
    manager.guard();
    assert.equal(manager.requestLink(farKey), link);
  });

  it("a reset ends links and dials, and lets new ones come", async () => {
    const { clock, manager, transport, told } = sessions();
    const open = new FakeLink(peerId(3), "inbound");
    manager.accept(open);
    const { onDial } = transport;
    transport.onDial = (_address, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const dial = assert.rejects(manager.acquire(far, farKey, never), { code: "unavailable" });
    await clock.settle();
    await manager.reset("cleaned up");
    await dial;
    assert.equal(open.closedWith?.reason, "cleaned up");
    transport.onDial = onDial;
    await manager.acquire(far, farKey, never);
    assert.equal(told.at(-1), "linked 2 outbound");
    assert.equal(clock.pending, 0);
  });
});

describe("barrier", () => {
  it("holds requests back, links that are ready included, and lets them go together", async () => {
    const { manager, clock } = sessions();
    const link = await manager.acquire(far, farKey, never);
    const lower = manager.barrier.raise();
    assert.equal(manager.requestLink(farKey), undefined);
    const waiting = Promise.all([1, 2].map(() => manager.acquire(far, farKey, never)));
    await clock.advance(4_000);
    lower();
    assert.deepEqual(await waiting, [link, link]);
    assert.equal(clock.pending, 0);
  });

  it("is not waited for longer than 5 s", async () => {
    const { manager, clock } = sessions();
    manager.barrier.raise();
    const refused = assert.rejects(manager.acquire(far, farKey, never), {
      code: "connection_not_ready",
    });
    await clock.advance(5_000);
    await refused;
    assert.equal(clock.pending, 0);
  });

  it("is down when everybody has lowered it, however often each does", async () => {
    const barrier = new Barrier(new FakeClock());
    const [one, other] = [barrier.raise(), barrier.raise()];
    one();
    one();
    assert.equal(barrier.up, true);
    other();
    assert.equal(barrier.up, false);
    await barrier.passed(never);
  });
});
