import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aclMessage } from "../../../src/protocol/acl_message.ts";
import { toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { parseActrType } from "../../../src/protocol/ids.ts";
import { Bench } from "./bench.ts";

const echo = "acme:echo:1.0.0";
const client = "acme:client:0.1.0";

describe("presence", () => {
  const subscribe = {
    case: "subscribeActrUpRequest",
    value: { targetType: parseActrType(echo) },
  } as const;

  it("tells a subscriber of who is up, after its answer, and of who comes up", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    await bench.join(1);
    await bench.join(2, { acl: aclMessage([]) });
    await bench.join(3, { type: "acme:echo:1.0.1" });
    const id = asker.request(subscribe);
    await bench.join(4);
    await bench.join(5, { acl: aclMessage([]) });
    await bench.join(1);
    assert.deepEqual(asker.answers, [
      `${id} subscribeActrUpResponse`,
      "actrUpEvent",
      "actrUpEvent",
      "actrUpEvent",
    ]);
    assert.deepEqual(asker.ups, [`1@1/${echo}`, `4@1/${echo}`, `1@1/${echo}`]);
  });

  it("tells nobody of itself", async () => {
    const bench = await Bench.open();
    const node = await bench.join(1);
    node.request(subscribe);
    const again = await bench.join(1);
    again.request(subscribe);
    assert.deepEqual([...node.ups, ...again.ups], []);
  });

  it("ends with the connection, with unregistering and with unsubscribing", async () => {
    const bench = await Bench.open();
    const [closed, gone, done] = [
      await bench.join(7, { type: client }),
      await bench.join(8, { type: client }),
      await bench.join(9, { type: client }),
    ];
    for (const each of [closed, gone, done]) each.request(subscribe);
    closed.socket.terminate();
    gone.request({ case: "unregisterRequest", value: { actrId: toActrIdMessage(gone.id) } });
    done.request({ ...subscribe, case: "unsubscribeActrUpRequest" });
    await bench.join(1);
    assert.deepEqual([...closed.ups, ...gone.ups, ...done.ups], []);
  });

  it("is for so many types at most; one more is answered with 429", async () => {
    const bench = await Bench.open({ limits: { maxSubscriptions: 1 } });
    const asker = await bench.join(9, { type: client });
    asker.request(subscribe);
    asker.request(subscribe);
    const answer = asker.ask({
      case: "subscribeActrUpRequest",
      value: { targetType: parseActrType("acme:other:1.0.0") },
    });
    assert.equal(answer.case, "subscribeActrUpResponse");
    assert.equal(answer.value.result.case, "error");
    assert.equal(answer.value.result.value.code, 429);
  });

  it("tells a subscriber nothing anew that asks again, and one that is refused nothing at all", async () => {
    const bench = await Bench.open({ limits: { maxSubscriptions: 1 } });
    const [asker, full] = [
      await bench.join(8, { type: client }),
      await bench.join(9, { type: client }),
    ];
    await bench.join(1);
    const ids = [asker.request(subscribe), asker.request(subscribe)];
    assert.deepEqual(asker.answers, [
      `${ids[0]} subscribeActrUpResponse`,
      "actrUpEvent",
      `${ids[1]} subscribeActrUpResponse`,
    ]);
    full.request({ ...subscribe, value: { targetType: parseActrType("acme:other:1.0.0") } });
    full.request(subscribe);
    assert.deepEqual(full.ups, []);
  });

  it("is not for types longer than any", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    const targetType = { manufacturer: "a", name: "b", version: "1".repeat(1_021) };
    const answer = asker.ask({ case: "subscribeActrUpRequest", value: { targetType } });
    assert.equal(answer.case, "subscribeActrUpResponse");
    assert.equal(answer.value.result.case, "error");
    assert.equal(answer.value.result.value.code, 400);
  });

  it("tells of very many a part at a time, no faster than the subscriber reads, and of none who has gone", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(999, { type: client });
    const nodes = [];
    for (let serial = 1; serial <= 150; serial++) nodes.push(await bench.join(serial));
    asker.request(subscribe);
    assert.equal(asker.ups.length, 64);
    asker.socket.bufferedAmount = 65_537;
    nodes[149]?.socket.terminate();
    await bench.join(500);
    await bench.join(140);
    assert.deepEqual(asker.ups.slice(64), [`1f4@1/${echo}`, `8c@1/${echo}`]);
    await bench.clock.advance(1_000);
    assert.equal(asker.ups.length, 66, "it does not read");
    asker.socket.bufferedAmount = 0;
    await bench.clock.advance(20);
    assert.equal(asker.ups.length, 150);
    assert.equal(new Set(asker.ups).size, 150);
    assert.ok(!asker.ups.includes(`96@1/${echo}`));
  });

  it("tells nothing more of a subscription that has ended in between", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(999, { type: client });
    for (let serial = 1; serial <= 100; serial++) await bench.join(serial);
    asker.request(subscribe);
    asker.request({ ...subscribe, case: "unsubscribeActrUpRequest" });
    await bench.clock.settle();
    assert.equal(asker.ups.length, 64);
    asker.request(subscribe);
    await bench.clock.settle();
    assert.equal(asker.ups.length, 164, "a new one begins anew");
  });

  it("ends for one who does not read, who is told nothing more", async () => {
    const bench = await Bench.open();
    const asker = await bench.join(9, { type: client });
    for (const serial of [1, 2, 3]) await bench.join(serial);
    asker.socket.bufferedAmount = 5 * 1024 * 1024;
    let drops = 0;
    asker.socket.terminate = () => {
      drops++;
    };
    asker.request(subscribe);
    assert.deepEqual(asker.answers, []);
    assert.equal(drops, 1);
    assert.deepEqual([...bench.hub.presence.subscribers(echo)], []);
  });
});
