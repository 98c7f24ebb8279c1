import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { Nesting } from "../../../src/inbound/handler_calls.ts";
import type { InboundMessage } from "../../../src/inbound/message.ts";
import { callChain, chainMetadata, maxChain } from "../../../src/protocol/call_chain.ts";
import { Peer } from "../../../src/session/peer.ts";
import { peerId } from "../session/support.ts";
import { gate } from "./support.ts";

const target = peerId(2);
const routeKey = "a.B.C";

function nest() {
  const places = { lent: 0, lend: () => void places.lent++, resume: () => void places.lent-- };
  return { nesting: new Nesting(new SeededRandom(), places), places };
}

describe("calls of a handler", () => {
  it("lend its place once, while any of them is under way", async () => {
    const { nesting, places } = nest();
    const calls = nesting.open([]);
    const doors = [gate(), gate()];
    const answers = doors.map(({ promise }) => calls.during({ target, routeKey }, () => promise));
    assert.equal(places.lent, 1);
    assert.equal(calls.awaits(new Peer(target).key), true);
    doors[0]?.open();
    await answers[0];
    assert.equal(places.lent, 1);
    doors[1]?.open();
    await answers[1];
    assert.equal(places.lent, 0);
    assert.equal(calls.awaits(new Peer(target).key), false);
  });

  it("a handler that ends without them takes its place back, once", async () => {
    const { nesting, places } = nest();
    const calls = nesting.open([]);
    const door = gate();
    const answer = calls.during({ target, routeKey }, () => door.promise);
    assert.equal(nesting.knows([calls.name]), true);
    calls.leave();
    assert.deepEqual([places.lent, nesting.knows([calls.name])], [0, false]);
    door.open();
    await answer;
    assert.equal(places.lent, 0);
  });

  it("tell who waits for them, and go no deeper than the limit", async () => {
    const { nesting } = nest();
    const calls = nesting.open(["outer"]);
    const chain = await calls.during({ target, routeKey }, async (names) => names);
    assert.deepEqual(chain, ["outer", calls.name]);
    assert.deepEqual(callChain(chainMetadata(chain)), chain);
    const deep = nesting.open(Array.from({ length: maxChain }, String));
    const refused = deep.during({ target, routeKey }, () => Promise.resolve());
    await assert.rejects(refused, { code: "invalid_argument" });
  });

  it("are refused while a handler of the target waits in the queue, and only then", async () => {
    const { nesting } = nest();
    const calls = nesting.open([]);
    const call = (): Promise<string> =>
      calls.during({ target, routeKey }, () => Promise.resolve("answered"));
    const messages = [1, 2].map(() => ({ from: new Peer(target) }) as InboundMessage);
    for (const message of messages) nesting.queued(message);
    await assert.rejects(call(), { code: "unavailable", message: /^deadlock: a\.B\.C would wait/ });
    for (const message of [...messages, ...messages]) nesting.left(message);
    assert.equal(await call(), "answered");
  });
});
