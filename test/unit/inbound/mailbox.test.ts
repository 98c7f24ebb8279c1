import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import { backpressureWatch } from "../../../src/inbound/backpressure.ts";
import { Mailbox } from "../../../src/inbound/mailbox.ts";
import type { InboundMessage } from "../../../src/inbound/message.ts";
import { defaultNodeOptions, type MailboxOptions } from "../../../src/options.ts";
import type { Priority } from "../../../src/ports/store.ts";
import { directions } from "../../../src/protocol/envelope.ts";
import { Peer } from "../../../src/session/peer.ts";
import { peerId } from "../session/support.ts";
import { enqueueDurable, ScriptedStore } from "./support.ts";

const from = new Peer(peerId(2));

function open(options: Partial<MailboxOptions> = {}) {
  const clock = new FakeClock();
  const store = new ScriptedStore();
  const depths: number[] = [];
  let available = 0;
  const components = {
    clock,
    store,
    onDepth: (queued: number) => void depths.push(queued),
    onAvailable: () => void available++,
    onMissing: () => {},
  };
  const mailbox = new Mailbox(components, { ...defaultNodeOptions.mailbox, ...options });
  return { clock, store, depths, mailbox, available: () => available };
}

let seq = 0;

function message(name: string, priority: Priority = 0, durable = false): InboundMessage {
  const payload = new TextEncoder().encode(name);
  return {
    envelope: {
      routeKey: "a.B.C",
      payload,
      direction: directions.request,
      requestId: name,
      metadata: [],
      timeoutMs: 0,
    },
    from,
    link: undefined,
    priority,
    size: 100,
    arrivedAt: 0,
    row: durable
      ? {
          seq: ++seq,
          id: name,
          from: from.bytes,
          payload,
          priority,
          enqueuedAt: 0,
          attempts: 0,
          notBefore: 0,
        }
      : undefined,
    answered: false,
  };
}

const name = (claimed: InboundMessage | undefined): string | undefined =>
  claimed?.envelope.requestId;

describe("mailbox", () => {
  it("[N-91] hands a message out once; acknowledged, nothing is left", async () => {
    const { mailbox, store } = open();
    const sent = message("a", 0, true);
    await enqueueDurable(mailbox, sent);
    const claimed = mailbox.claim();
    assert.deepEqual(claimed?.row, sent.row, "the same id, sender and payload");
    assert.deepEqual([mailbox.status().queued, mailbox.status().inFlight], [0, 1]);
    assert.equal(mailbox.claim(), undefined);
    assert.equal((await store.mailboxRows(0, 10)).length, 1);
    mailbox.ack(sent);
    assert.deepEqual([mailbox.status().queued, mailbox.status().inFlight], [0, 0]);
    assert.equal(mailbox.idle, true);
  });

  it("[N-92] hands out high priority first, and the order of arrival within a priority", () => {
    const { mailbox } = open();
    for (const normal of ["n1", "n2"]) mailbox.enqueue(message(normal));
    for (const high of ["h1", "h2"]) mailbox.enqueue(message(high, 1));
    const order = [1, 2, 3, 4, 5].map(() => name(mailbox.claim()));
    assert.deepEqual(order, ["h1", "h2", "n1", "n2", undefined]);
  });

  it("[N-93] tells an observer the depth at each enqueue", () => {
    const { mailbox, depths } = open();
    for (const each of ["a", "b", "c"]) mailbox.enqueue(message(each));
    assert.deepEqual(depths, [1, 2, 3]);
  });

  it("tells the observer of claims and acknowledgements too", () => {
    const { mailbox, depths } = open();
    const only = message("a");
    mailbox.enqueue(only);
    mailbox.claim();
    mailbox.ack(only);
    assert.deepEqual(depths, [1, 0, 0]);
  });

  it("[N-94] counts what is queued, by priority, and in flight", () => {
    const { mailbox } = open();
    const all = [message("n1"), message("n2"), message("h", 1)];
    for (const each of all) mailbox.enqueue(each);
    const counts = (): number[] => {
      const { queued, queuedNormal, queuedHigh, inFlight } = mailbox.status();
      return [queued, queuedNormal, queuedHigh, inFlight];
    };
    assert.deepEqual(counts(), [3, 2, 1, 0]);
    const claimed = all.map(() => mailbox.claim());
    assert.deepEqual(counts(), [0, 0, 0, 3]);
    mailbox.ack(claimed[0] as InboundMessage);
    assert.deepEqual(counts(), [0, 0, 0, 2]);
  });

  it("[ND-11] lets a normal message through after a run of high ones, in order of arrival", () => {
    const { mailbox } = open({ highBurst: 3 });
    for (let n = 0; n < 2; n++) mailbox.enqueue(message(`n${n}`));
    for (let n = 0; n < 9; n++) mailbox.enqueue(message(`h${n}`, 1));
    const order = Array.from({ length: 11 }, () => name(mailbox.claim()));
    assert.deepEqual(order, ["h0", "h1", "h2", "n0", "h3", "h4", "h5", "n1", "h6", "h7", "h8"]);
  });

  it("[ND-10] refuses what is over the depth or the bytes, with a hint, until something is acknowledged", async () => {
    for (const options of [{ maxDepth: 2 }, { maxBytes: 250 }]) {
      const { mailbox, store } = open(options);
      const first = message("a");
      mailbox.enqueue(first);
      mailbox.enqueue(message("b"));
      const full = { code: "overloaded", retryAfterMs: 100 };
      assert.throws(() => mailbox.enqueue(message("c")), full);
      assert.throws(() => mailbox.enqueueDurable(message("d", 0, true), assert.fail), full);
      assert.deepEqual(store.commits, [], "nothing reached the disk");
      mailbox.claim();
      assert.throws(() => mailbox.enqueue(message("c")), full, "in flight counts");
      mailbox.ack(first);
      mailbox.enqueue(message("c"));
      assert.equal(mailbox.status().queued, 2);
    }
  });

  it("hands a durable message out at once, and says when it is on disk", async () => {
    const { mailbox, store, clock } = open({ maxDepth: 1 });
    let release: () => void = () => {};
    store.hold = new Promise((resolve) => {
      release = resolve;
    });
    const durable = message("a", 0, true);
    const accepted = enqueueDurable(mailbox, durable);
    await clock.settle();
    assert.equal(mailbox.claim(), durable);
    assert.throws(() => mailbox.enqueue(message("b")), { code: "overloaded" });
    let known = false;
    const written = mailbox.isWritten(durable).finally(() => {
      known = true;
    });
    await clock.settle();
    assert.equal(known, false);
    release();
    await accepted;
    assert.equal(await written, true);
  });

  it("takes a message back that could not be written, and its room with it, unless it is in flight", async () => {
    const { mailbox, store } = open({ maxDepth: 2 });
    store.refuses = () => new ActrError("storage", "disk full");
    const [claimed, queued] = [message("a", 0, true), message("b", 0, true)];
    const both = [enqueueDurable(mailbox, claimed), enqueueDurable(mailbox, queued)];
    assert.equal(mailbox.claim(), claimed);
    for (const each of both) await assert.rejects(each, { code: "storage" });
    assert.equal(await mailbox.isWritten(claimed), false);
    assert.equal(mailbox.withdraw(claimed), false);
    assert.equal(mailbox.withdraw(queued), true);
    mailbox.enqueue(message("c"));
    assert.equal(name(mailbox.claim()), "c", "what was taken back is not handed out");
  });

  it("brings a message back after its delay, at the end of the queue", async () => {
    const { mailbox, clock, available } = open();
    const first = message("a");
    mailbox.enqueue(first);
    mailbox.claim();
    mailbox.nack(first, first, 1_000);
    assert.equal(mailbox.claim(), undefined);
    assert.equal(mailbox.idle, false);
    mailbox.enqueue(message("b"));
    const before = available();
    await clock.advance(1_000);
    assert.equal(available(), before + 1);
    assert.deepEqual([name(mailbox.claim()), name(mailbox.claim())], ["b", "a"]);
  });

  it("returns everything that waits when it closes, and sets no more timers", async () => {
    const { mailbox, clock } = open();
    const [delayed, running] = [message("delayed"), message("running", 0, true)];
    mailbox.enqueue(delayed);
    mailbox.enqueue(running);
    mailbox.claim();
    mailbox.claim();
    mailbox.nack(delayed, delayed, 1_000);
    mailbox.enqueue(message("queued"));
    assert.deepEqual(mailbox.close().map(name), ["delayed", "queued"]);
    mailbox.nack(running, running, 1_000);
    assert.equal(clock.pending, 0);
    assert.equal(mailbox.idle, true);
  });

  it("tells of backpressure once when it rises, and once when it is over", () => {
    const told: string[] = [];
    const watch = backpressureWatch(
      3,
      ({ queueLength, threshold }) => void told.push(`raised ${queueLength} of ${threshold}`),
      () => void told.push("cleared"),
    );
    for (const depth of [1, 2, 3, 4, 5, 3, 2, 1, 3, 2]) watch(depth);
    assert.deepEqual(told, ["raised 3 of 3", "cleared", "raised 3 of 3", "cleared"]);
  });

  it("[N-21] has a threshold of 1024 unless told otherwise", () => {
    assert.equal(defaultNodeOptions.mailbox.backpressureThreshold, 1024);
  });
});
