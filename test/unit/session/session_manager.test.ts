import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { FakeLink, FakeTransport, peerId, sessions } from "./support.ts";

const never = new AbortController().signal;
const far = peerId(2);
const farKey = formatActrId(far);

describe("session manager", () => {
  it("[N-75] dials once for concurrent callers, who share the link", async () => {
    const { manager, transport } = sessions();
    const links = await Promise.all(
      Array.from({ length: 10 }, () => manager.acquire(far, farKey, never)),
    );
    assert.equal(transport.dials.length, 1);
    assert.equal(new Set(links).size, 1);
    assert.equal(manager.size, 1);
  });

  it("hands out the link that is there without another dial", async () => {
    const { manager, transport } = sessions();
    const first = await manager.acquire(far, farKey, never);
    assert.equal(await manager.acquire(far, farKey, never), first);
    assert.equal(manager.requestLink(farKey), first);
    assert.equal(transport.dials.length, 1);
  });

  it("dials again after a dial that failed", async () => {
    const { manager, transport, told } = sessions();
    const { onDial } = transport;
    transport.onDial = async () => {
      throw new ActrError("unavailable", "refused");
    };
    await assert.rejects(manager.acquire(far, farKey, never), { code: "unavailable" });
    transport.onDial = onDial;
    await manager.acquire(far, farKey, never);
    assert.deepEqual(told, [
      "connecting 2",
      "unlinked 2 lost",
      "connecting 2",
      "linked 2 outbound",
    ]);
  });

  it("ends a dial at its deadline, and closes a link that comes later", async () => {
    const { clock, manager, transport, told } = sessions({ dialTimeoutMs: 1_000 });
    let arrive: (link: FakeLink) => void = () => {};
    transport.onDial = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    const dial = manager.acquire(far, farKey, never);
    const failed = assert.rejects(dial, { code: "timed_out" });
    await clock.advance(1_000);
    const late = new FakeLink(far);
    arrive(late);
    await failed;
    await clock.settle();
    assert.equal(late.closedWith?.by, "local");
    assert.equal(manager.size, 0);
    assert.deepEqual(told, ["connecting 2", "unlinked 2 lost"]);
    assert.equal(clock.pending, 0);
  });

  it("lets one caller go by its signal while the dial goes on for the others", async () => {
    const { clock, manager, transport } = sessions();
    let arrive: (link: FakeLink) => void = () => {};
    transport.onDial = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    const abort = new AbortController();
    const impatient = manager.acquire(far, farKey, abort.signal);
    const patient = manager.acquire(far, farKey, never);
    const gone = assert.rejects(impatient, /bored/);
    await clock.settle();
    abort.abort(new Error("bored"));
    await gone;
    arrive(new FakeLink(far));
    assert.equal((await patient).peer.serial, 2n);
    assert.equal(transport.dials.length, 1);
  });

  it("asks for a new address when the known one fails, and dials that", async () => {
    const { manager, transport, urls, asked } = sessions();
    urls.set(farKey, "ws://old");
    const { onDial } = transport;
    transport.onDial = async (address, options) => {
      if (address.url === "ws://new") return await onDial(address, options);
      urls.set(farKey, "ws://new");
      throw new ActrError("unavailable", "nobody there");
    };
    await manager.acquire(far, farKey, never);
    assert.deepEqual(asked, [false, true]);
    assert.deepEqual(
      transport.dials.map(({ url }) => url),
      ["ws://old", "ws://new"],
    );
  });

  it("does not dial the same address twice in one attempt", async () => {
    const { manager, transport, urls } = sessions();
    urls.set(farKey, "ws://old");
    transport.onDial = async () => {
      throw new ActrError("unavailable", "nobody there");
    };
    await assert.rejects(manager.acquire(far, farKey, never), /nobody there/);
    assert.equal(transport.dials.length, 1);
  });

  it("says that there is no route when no transport knows a way", async () => {
    const { manager, urls, transport } = sessions();
    urls.set(farKey, "nowhere");
    await assert.rejects(manager.acquire(far, farKey, never), {
      code: "unavailable",
      details: { reason: "no_route" },
    });
    assert.equal(transport.dials.length, 0);
  });

  it("forgets a session with its last link, and dials anew", async () => {
    const { clock, manager, transport, told } = sessions();
    await manager.acquire(far, farKey, never);
    transport.link.end();
    await clock.settle();
    assert.equal(manager.size, 0);
    assert.equal(manager.requestLink(farKey), undefined);
    await manager.acquire(far, farKey, never);
    assert.equal(transport.dials.length, 2);
    assert.deepEqual(told, [
      "connecting 2",
      "linked 2 outbound",
      "unlinked 2 lost",
      "connecting 2",
      "linked 2 outbound",
    ]);
  });

  it("hands frames over in order, with the verified peer", async () => {
    const world = sessions();
    const seen: string[] = [];
    world.onFrame = ({ body }, peer) => void seen.push(`${peer.key === farKey} ${body[0]}`);
    const link = new FakeLink(far, "inbound");
    world.manager.accept(link);
    for (const number of [1, 2, 3])
      link.receive({ lane: lanes.rpcReliable, body: Uint8Array.of(number) });
    await world.clock.settle();
    assert.deepEqual(seen, ["true 1", "true 2", "true 3"]);
  });

  it("sends requests on a link that the peer opened only where the transport may", async () => {
    for (const bidirectional of [false, true]) {
      const { manager } = sessions({}, new FakeTransport("fake", bidirectional));
      const link = new FakeLink(far, "inbound");
      manager.accept(link);
      assert.equal(manager.requestLink(farKey), bidirectional ? link : undefined);
      assert.equal(manager.session(farKey)?.replyLink(link), link);
    }
  });

  it("sends requests on a link that the peer opened for both ways, whatever the transport may", async () => {
    const { manager } = sessions();
    const link = Object.assign(new FakeLink(far, "inbound"), { duplex: true });
    manager.accept(link);
    assert.equal(manager.requestLink(farKey), link);
  });

  it("takes in once what a dial and the listener both bring, as where both sides dial at once", async () => {
    const { manager, transport, told } = sessions();
    transport.onDial = async () => {
      const link = new FakeLink(far);
      manager.accept(link);
      return link;
    };
    const link = await manager.acquire(far, farKey, never);
    assert.equal(manager.session(farKey)?.links.size, 1);
    assert.deepEqual(told, ["connecting 2", "linked 2 outbound"]);
    await link.close("done");
    assert.equal(manager.size, 0);
  });

  it("tells the end of a link's frames after the last of them, however long that is held", async () => {
    const world = sessions();
    const told: string[] = [];
    let release: () => void = () => {};
    world.onFrame = ({ body }) => {
      told.push(`frame ${body[0]}`);
      return new Promise((resolve) => {
        release = resolve;
      });
    };
    world.onExhausted = (peer, link) =>
      void told.push(`end ${peer.key === farKey} ${link.transport}`);
    const link = new FakeLink(far, "inbound");
    world.manager.accept(link);
    for (const number of [1, 2]) {
      link.receive({ lane: lanes.streamReliable, body: Uint8Array.of(number) });
    }
    link.end();
    await world.clock.settle();
    assert.deepEqual(told, ["frame 1"]);
    release();
    await world.clock.settle();
    release();
    await world.clock.settle();
    assert.deepEqual(told, ["frame 1", "frame 2", "end true fake"]);
  });

  it("answers on the link that the request came by, else on any live one", async () => {
    const { clock, manager, transport } = sessions();
    const inbound = new FakeLink(far, "inbound");
    manager.accept(inbound);
    await manager.acquire(far, farKey, never);
    const session = manager.session(farKey);
    assert.equal(session?.replyLink(inbound), inbound);
    inbound.end();
    await clock.settle();
    assert.equal(session?.replyLink(inbound), transport.link);
  });

  it("refuses the session that is one too many, in both directions", async () => {
    const { clock, manager } = sessions({ maxSessions: 1 });
    await manager.acquire(far, farKey, never);
    const third = peerId(3);
    await assert.rejects(manager.acquire(third, formatActrId(third), never), {
      code: "overloaded",
      retryAfterMs: 1000,
    });
    const stranger = new FakeLink(third, "inbound");
    manager.accept(stranger);
    await clock.settle();
    assert.equal(stranger.closedWith?.by, "local");
    const second = new FakeLink(far, "inbound");
    manager.accept(second);
    assert.equal(second.closedWith, undefined, "a peer that has a session may have more links");
  });

  it("[N-70] [T-59] a dial that ends while everything closes leaves nothing behind, and its waiters fail at once", async () => {
    const { clock, manager, transport } = sessions();
    const late = new FakeLink(far);
    transport.onDial = (_address, { signal }) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(late)));
    const before = clock.now();
    const waiting = assert.rejects(manager.acquire(far, farKey, never), { code: "stopping" });
    await clock.settle();
    await manager.close("done");
    await waiting;
    assert.equal(clock.now(), before);
    assert.equal(late.closedWith?.by, "local");
    assert.equal(manager.size, 0);
    assert.equal(clock.pending, 0);
  });

  it("refuses everything once closed, and ends what is under way", async () => {
    const { clock, manager, transport } = sessions();
    const open = new FakeLink(far, "inbound");
    manager.accept(open);
    transport.onDial = (_address, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason)),
      );
    const third = peerId(3);
    const dialling = assert.rejects(manager.acquire(third, formatActrId(third), never), {
      code: "stopping",
    });
    await clock.settle();
    await manager.close("done");
    await dialling;
    assert.equal(open.closedWith?.reason, "done");
    await assert.rejects(manager.acquire(far, farKey, never), { code: "stopping" });
    const late = new FakeLink(far, "inbound");
    manager.accept(late);
    assert.equal(late.closedWith?.by, "local");
    assert.equal(clock.pending, 0);
  });
});
