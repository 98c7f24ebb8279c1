import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultNodeOptions } from "../../../src/options.ts";
import { directions, type RpcEnvelope } from "../../../src/protocol/envelope.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { borrow } from "../../../src/protocol/frame_buffers.ts";
import { formatActrId } from "../../../src/protocol/ids.ts";
import { Deadlines } from "../../../src/session/deadlines.ts";
import { YieldBudget } from "../../../src/session/yield_budget.ts";
import { ChunkSender } from "../../../src/streams/chunk_sender.ts";
import { gate, RemotePeer, type RigOptions, rig } from "../inbound/support.ts";
import { calling, envelopes, respond } from "../outbound/support.ts";
import { CopyingLink, FakeLink, peerId, sessions } from "./support.ts";

const far = peerId(2);
const bytes = 40_000;
const large = "x".repeat(bytes);

/** Whether the buffer of `body` is lent to who needs one of its length; it is overwritten then. */
function isFree(body: Uint8Array | undefined): boolean {
  assert.ok(body !== undefined && body.length > bytes);
  for (let tries = 0; tries < 300; tries++) {
    const { buffer } = borrow(body.length).fill(0xee);
    if (buffer === body.buffer) return true;
  }
  return false;
}

/** The answer to the request of that id. */
function answerTo(requestId: string): RpcEnvelope {
  const fields = { routeKey: "a.B.C", direction: directions.response, metadata: [], timeoutMs: 0 };
  return { requestId, payload: Uint8Array.of(1), ...fields };
}

describe("the buffer of a large request", () => {
  const payload = new Uint8Array(bytes).fill(7);

  it("is used again once the request was answered, if every link that it left by has copied it", async () => {
    const world = calling();
    const link = new CopyingLink(far);
    world.transport.onDial = async () => link;
    const call = world.caller.call(far, "a.B.C", payload);
    await world.clock.settle();
    const [request] = envelopes(link);
    assert.deepEqual(request?.payload, payload);
    assert.equal(isFree(link.given[0]?.body), false, "it may have to be sent again");
    respond(link, request, { payload: Uint8Array.of(1) });
    await call;
    assert.equal(isFree(link.given[0]?.body), true);
  });

  it("is sent again as it was", async () => {
    const world = calling();
    const links: CopyingLink[] = [];
    world.transport.onDial = async () => {
      const link = new CopyingLink(far);
      links.push(link);
      return link;
    };
    const call = world.caller.call(far, "a.B.C", payload);
    await world.clock.settle();
    links[0]?.end();
    await world.clock.advance(1_000);
    const [first, second] = links;
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(second.sent, first.sent);
    respond(second, envelopes(second)[0], { payload: Uint8Array.of(1) });
    await call;
    assert.equal(isFree(second.given[0]?.body), true);
  });

  it("is left to a link that keeps it, also when another one has copied it", async () => {
    const world = calling();
    const [keeping, copying] = [new FakeLink(far), new CopyingLink(far)];
    const links: FakeLink[] = [keeping, copying];
    world.transport.onDial = async () => links.shift() ?? keeping;
    const call = world.caller.call(far, "a.B.C", payload);
    await world.clock.settle();
    keeping.end();
    await world.clock.advance(1_000);
    respond(copying, envelopes(copying)[0], { payload: Uint8Array.of(1) });
    await call;
    assert.equal(isFree(copying.given[0]?.body), false);
    assert.deepEqual(envelopes(keeping)[0]?.payload, payload);
  });

  it("is left to a link that keeps it, also when the call is over before send returns", async () => {
    const world = calling();
    const link = new FakeLink(far);
    world.transport.onDial = async () => link;
    const { send } = link;
    link.send = (frame) => {
      const sent = send.call(link, frame);
      assert.ok(world.pending.settle(answerTo("one"), formatActrId(far)));
      return sent;
    };
    await world.caller.call(far, "a.B.C", payload, { requestId: "one" });
    assert.equal(isFree(link.sent[0]?.body), false);
    assert.deepEqual(envelopes(link)[0]?.payload, payload);
  });

  it("is left to a link whose copy waits, and is used again after that, also when the call has ended", async () => {
    for (const end of ["answer", "give up"] as const) {
      const world = calling();
      const link = new CopyingLink(far);
      link.waits = true;
      world.transport.onDial = async () => link;
      const abort = new AbortController();
      const options = { requestId: "one", signal: abort.signal };
      const call = world.caller.call(far, "a.B.C", payload, options);
      await world.clock.settle();
      if (end === "answer") {
        world.pending.settle(answerTo("one"), formatActrId(far));
        await call;
      } else {
        abort.abort(new Error("enough"));
        await assert.rejects(call, /enough/);
      }
      const body = link.given[0]?.body;
      assert.equal(isFree(body), false, end);
      link.copy();
      assert.deepEqual(envelopes(link)[0]?.payload, payload);
      assert.equal(isFree(body), true, end);
    }
  });

  it("is left to a call that goes on when the link has copied it at last", async () => {
    const world = calling();
    const link = new CopyingLink(far);
    link.waits = true;
    world.transport.onDial = async () => link;
    const call = world.caller.call(far, "a.B.C", payload);
    await world.clock.settle();
    link.copy();
    assert.equal(isFree(link.given[0]?.body), false, "it may have to be sent again");
    respond(link, envelopes(link)[0], { payload: Uint8Array.of(1) });
    await call;
    assert.equal(isFree(link.given[0]?.body), true);
  });

  it("is used again when the call is given up", async () => {
    const world = calling();
    const link = new CopyingLink(far);
    world.transport.onDial = async () => link;
    const abort = new AbortController();
    const call = world.caller.call(far, "a.B.C", payload, { signal: abort.signal });
    await world.clock.settle();
    abort.abort(new Error("enough"));
    await assert.rejects(call, /enough/);
    assert.equal(isFree(link.given[0]?.body), true);
  });
});

describe("the buffer of a large answer", () => {
  async function answering(options: RigOptions, link: FakeLink) {
    const world = await rig({ handle: () => large, ...options });
    return { world, remote: new RemotePeer(world, 2, link) };
  }

  const copying = () => new CopyingLink(far, "inbound");

  it("is used again once the link has copied it; what is remembered is another copy", async () => {
    const link = copying();
    const { world, remote } = await answering({}, link);
    await remote.send("a", { requestId: "one" });
    assert.equal(isFree(link.given[0]?.body), true);
    await remote.send("a", { requestId: "one" });
    assert.deepEqual(world.handled, ["a"]);
    assert.deepEqual(remote.heard, [large, large]);
  });

  it("is used again once a link has copied it at last", async () => {
    const link = copying();
    link.waits = true;
    const { remote } = await answering({}, link);
    await remote.send("a", { requestId: "one" });
    assert.equal(isFree(link.given[0]?.body), false);
    link.copy();
    assert.deepEqual(remote.heard, [large]);
    assert.equal(isFree(link.given[0]?.body), true);
  });

  it("is left to a link that keeps it", async () => {
    const link = new FakeLink(far, "inbound");
    const { remote } = await answering({}, link);
    await remote.send("a");
    assert.equal(isFree(link.sent[0]?.body), false);
    assert.deepEqual(remote.heard, [large]);
  });

  it("is left to repeats that have waited for it, and to the store", async () => {
    const { promise, open } = gate();
    const slow = copying();
    const handle = () => promise.then(() => large);
    const { world, remote } = await answering({ handle, conflictKey: { sender: true } }, slow);
    await remote.send("a", { requestId: "one" });
    await remote.send("a", { requestId: "one" });
    open();
    await world.clock.settle();
    assert.equal(isFree(slow.given[0]?.body), false);
    assert.deepEqual(remote.heard, [large, large]);
    const link = copying();
    const durable = await answering({ durable: true }, link);
    await durable.remote.send("b", { requestId: "two" });
    assert.equal(isFree(link.given.at(-1)?.body), false);
    await durable.remote.send("b", { requestId: "two" });
    assert.equal(durable.remote.heard.at(-1), large);
  });
});

describe("the buffer of a large chunk", () => {
  function sender(link: FakeLink) {
    const { clock, manager, transport } = sessions();
    transport.onDial = async () => link;
    const session = {
      current: { generation: 1 },
      assertUsable: () => {},
    } as unknown as ConstructorParameters<typeof ChunkSender>[0]["session"];
    return new ChunkSender(
      {
        ...{ clock, session, sessions: manager, onUncertain: () => {} },
        deadlines: new Deadlines(clock),
        yields: new YieldBudget(clock),
      },
      defaultNodeOptions.streams,
    );
  }

  it("is used again once the link has copied it, and left to one that keeps it", async () => {
    const payload = new Uint8Array(bytes).fill(7);
    const send = (link: FakeLink) =>
      sender(link).send(far, "s", { payload }, { payloadType: lanes.streamReliable });
    const [copying, waiting, keeping] = [
      new CopyingLink(far),
      new CopyingLink(far),
      new FakeLink(far),
    ];
    assert.equal(await send(copying), true);
    assert.equal(isFree(copying.given[0]?.body), true);
    waiting.waits = true;
    assert.equal(await send(waiting), true);
    assert.equal(isFree(waiting.given[0]?.body), false);
    waiting.copy();
    assert.equal(isFree(waiting.given[0]?.body), true);
    assert.equal(await send(keeping), true);
    assert.equal(isFree(keeping.sent[0]?.body), false);
  });
});
