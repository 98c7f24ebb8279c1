import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { emptyContents } from "../../../adapters/memory/memory_contents.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { DeadLetters } from "../../../src/inbound/dead_letters.ts";
import { Mailbox } from "../../../src/inbound/mailbox.ts";
import type { InboundMessage } from "../../../src/inbound/message.ts";
import { Refill } from "../../../src/inbound/refill.ts";
import { RowMaker } from "../../../src/inbound/row_maker.ts";
import { defaultNodeOptions, type MailboxOptions } from "../../../src/options.ts";
import type { Logger } from "../../../src/ports/logger.ts";
import type { MailboxRow, Priority } from "../../../src/ports/store.ts";
import { decodeEnvelope, directions, encodeEnvelope } from "../../../src/protocol/envelope.ts";
import { encodeActrId } from "../../../src/protocol/ids.ts";
import { Peer } from "../../../src/session/peer.ts";
import { peerId } from "../session/support.ts";
import { enqueueDurable, gate, ScriptedStore } from "./support.ts";

const from = new Peer(peerId(2));

/** The bytes of a tell with this name. */
function told(name: string, bytes = 0): Uint8Array {
  return encodeEnvelope({
    routeKey: "a.B.C",
    payload: new Uint8Array(bytes),
    direction: directions.tell,
    requestId: name,
    metadata: [],
    timeoutMs: 0,
  });
}

/** A row that an earlier process left. */
function left(seq: number, name: string, changes: Partial<MailboxRow> = {}): MailboxRow {
  const base = { id: `row-${seq}`, from: from.bytes, enqueuedAt: 0, attempts: 0, notBefore: 0 };
  return { seq, payload: told(name), priority: 0, ...base, ...changes };
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`);
}

/** A store that tells of its reads, holds them back, or lets them fail. */
class PagedStore extends ScriptedStore {
  /** Rows asked for, and given, by page. */
  readonly pages: { readonly limit: number; readonly rows: number; readonly priority: unknown }[] =
    [];
  readHold: Promise<void> | undefined;
  readError: ActrError | undefined;

  override async mailboxRows(
    ...page: Parameters<MemoryStore["mailboxRows"]>
  ): Promise<MailboxRow[]> {
    await this.readHold;
    if (this.readError !== undefined) throw this.readError;
    const rows = await super.mailboxRows(...page);
    this.pages.push({ limit: page[1], rows: rows.length, priority: page[2] });
    return rows;
  }
}

/** A mailbox over a store with `rows` of an earlier process. */
async function open(
  rows: readonly MailboxRow[],
  options: Partial<MailboxOptions> = {},
  start = true,
) {
  const contents = emptyContents();
  const earlier = new MemoryStore(contents);
  await earlier.commit(rows.map((row) => ({ kind: "mailbox.put", row })));
  const store = new PagedStore(contents);
  const clock = new FakeClock();
  const random = new SeededRandom();
  const errors: string[] = [];
  const log = { warn() {}, error: (event: string) => void errors.push(event) } as unknown as Logger;
  const selfBytes = () => encodeActrId(peerId(1));
  const parts = { clock, random, store, log, selfBytes, onDeadLetter() {} };
  const deadLetters = new DeadLetters(parts);
  const mailbox = new Mailbox(
    { clock, store, onDepth() {}, onAvailable() {}, onMissing: () => refill.wake() },
    { ...defaultNodeOptions.mailbox, ...options },
  );
  const refill = new Refill({ clock, log, store, mailbox, deadLetters }, { maxAttempts: 5 });
  const maker = new RowMaker({ clock, random }, store.opened);
  if (start) await refill.start();

  /** A message that arrives now. */
  const arrive = (name: string, priority: Priority = 0, durable = true): InboundMessage => {
    const payload = told(name);
    return {
      envelope: decodeEnvelope(payload),
      from,
      link: undefined,
      priority,
      size: payload.length,
      arrivedAt: 0,
      row: durable ? maker.row(payload, from.bytes, priority) : undefined,
      answered: false,
    };
  };
  const put = (name: string, priority: Priority = 0) =>
    enqueueDurable(mailbox, arrive(name, priority));
  /** Handles the next message; its name. */
  const next = async (): Promise<string | undefined> => {
    const message = mailbox.claim();
    if (message === undefined) return undefined;
    mailbox.ack(message);
    if (message.row !== undefined) {
      await store.commit([{ kind: "mailbox.ack", seq: message.row.seq }]);
    }
    return message.envelope.requestId;
  };
  /** Handles everything that can be, as it becomes ready; the names in order. */
  const all = async (): Promise<string[]> => {
    const done: string[] = [];
    for (;;) {
      let name = await next();
      if (name === undefined) {
        await clock.settle();
        name = await next();
      }
      if (name === undefined) return done;
      done.push(name);
    }
  };
  const counts = (): number[] => {
    const { queuedNormal, queuedHigh, inFlight } = mailbox.status();
    return [queuedNormal, queuedHigh, inFlight];
  };
  return { store, clock, mailbox, refill, maker, errors, arrive, put, next, all, counts };
}

const kilo = names("n", 3_000).map((name, n) => left(n + 1, name));

describe("refill", () => {
  it("reads one page before the node is ready, and all that is there in its order, a bounded page at a time", async () => {
    const box = await open(kilo);
    assert.equal(box.store.pages.length, 1);
    assert.deepEqual(box.counts(), [3_000, 0, 0]);
    assert.deepEqual(await box.all(), names("n", 3_000));
    for (const { limit, rows, priority } of box.store.pages) {
      assert.equal(priority, 0, "an empty priority is not asked for");
      assert.ok(limit === 512 && rows <= limit);
    }
    assert.deepEqual(box.counts(), [0, 0, 0]);
    assert.equal(box.mailbox.idle, true);
    assert.deepEqual(await box.store.mailboxRows(0, 9), []);
  });

  it("reads on while there is still something to hand out", async () => {
    const box = await open(kilo);
    for (let n = 0; n < 3_000; n++) {
      assert.equal(await box.next(), `n${n}`);
      if (n % 100 === 0) await box.clock.settle();
    }
  });

  it("[N-94] counts by priority what was not read yet, and what is in flight", async () => {
    const high = names("h", 700).map((name, n) => left(3_001 + n, name, { priority: 1 }));
    const box = await open([...kilo, ...high]);
    assert.deepEqual(box.counts(), [3_000, 700, 0]);
    assert.equal(box.mailbox.status().queued, 3_700);
    for (let n = 0; n < 20; n++) box.mailbox.claim();
    await box.clock.settle();
    assert.deepEqual(box.counts(), [2_999, 681, 20]);
  });

  it("[ND-11] lets normal messages through between high ones, wherever both wait", async () => {
    const rows = names("m", 4_000).map((name, n) =>
      left(n + 1, name, { priority: n % 2 === 0 ? 1 : 0 }),
    );
    const box = await open(rows, { highBurst: 3 });
    const order = await box.all();
    const isHigh = (name: string): boolean => Number(name.slice(1)) % 2 === 0;
    const pattern = order.slice(0, 2_600).map((name, at) => isHigh(name) === (at % 4 !== 3));
    assert.ok(pattern.every(Boolean), "three high ones, then a normal one");
    for (const high of [true, false]) {
      const ofOne = order.filter((name) => isHigh(name) === high);
      assert.deepEqual(
        ofOne,
        names("m", 4_000).filter((name) => isHigh(name) === high),
      );
    }
  });

  it("[ND-10] refuses new work while an earlier process left more than the limit, and takes it again when there is room", async () => {
    const box = await open(kilo, { maxDepth: 2_000 });
    const full = { code: "overloaded", retryAfterMs: 100 };
    for (let n = 0; n <= 1_000; n++) {
      assert.throws(() => box.put("no"), full);
      assert.throws(() => box.mailbox.enqueue(box.arrive("no", 1, false)), full);
      assert.equal(await box.next(), `n${n}`);
      await box.clock.settle();
    }
    await box.put("last");
    assert.deepEqual((await box.all()).slice(-2), ["n2999", "last"]);
  });

  it("what arrives does not overtake what is in the store, durable or not", async () => {
    const box = await open(kilo);
    await box.put("durable 1");
    box.mailbox.enqueue(box.arrive("volatile 1", 0, false));
    box.mailbox.enqueue(box.arrive("volatile 2", 0, false));
    await box.put("durable 2");
    box.mailbox.enqueue(box.arrive("volatile 3", 0, false));
    box.mailbox.enqueue(box.arrive("urgent", 1, false));
    assert.deepEqual(box.counts(), [3_005, 1, 0]);
    assert.deepEqual(await box.all(), [
      "urgent",
      ...names("n", 3_000),
      ...["durable 1", "volatile 1", "volatile 2", "durable 2", "volatile 3"],
    ]);
    assert.equal(box.mailbox.idle, true);
  });

  it("keeps in memory what fits the window; the rest comes back from the store, in order", async () => {
    const box = await open([], { windowDepth: 4, maxDepth: 50 });
    await Promise.all(names("d", 50).map((name) => box.put(name)));
    assert.throws(() => box.put("d50"), { code: "overloaded" });
    assert.deepEqual(box.counts(), [50, 0, 0]);
    const bytes = 10 * told("d0").length + 40 * told("d10").length;
    assert.equal(box.mailbox.status().bytes, bytes);
    let held = 0;
    for (let message = box.mailbox.claim(); message; message = box.mailbox.claim()) held += 1;
    assert.equal(held, 4, "in memory");
    assert.deepEqual(box.counts(), [46, 0, 4]);
  });

  it("hands all of it out, and memory takes over again", async () => {
    const box = await open([], { windowDepth: 4 });
    await Promise.all(names("d", 50).map((name) => box.put(name)));
    assert.deepEqual(await box.all(), names("d", 50));
    assert.equal(box.mailbox.status().bytes, 0);
    const reads = box.store.pages.length;
    await box.put("direct");
    assert.equal(await box.next(), "direct");
    assert.equal(box.store.pages.length, reads, "not read back");
  });

  it("bounds the bytes in memory", async () => {
    const rows = names("big", 40).map((name, n) =>
      left(n + 1, name, { payload: told(name, 1_000) }),
    );
    const box = await open(rows, { windowBytes: 8_000 });
    const [page] = box.store.pages;
    assert.ok(page !== undefined && page.rows <= 9, JSON.stringify(page));
    assert.throws(
      () => {
        for (;;) box.mailbox.enqueue(box.arrive("v", 0, false));
      },
      { code: "overloaded" },
    );
    const order = await box.all();
    assert.deepEqual(
      order.filter((name) => name !== "v"),
      names("big", 40),
    );
  });

  it("volatile messages that fill the window do not keep out what they wait for", async () => {
    const box = await open(kilo.slice(0, 10), { windowDepth: 2 });
    const enqueue = () => box.mailbox.enqueue(box.arrive("v", 0, false));
    assert.equal(await box.next(), "n0");
    enqueue();
    assert.throws(enqueue, { code: "overloaded" });
    assert.deepEqual(await box.all(), [...names("n", 10).slice(1), "v"]);
  });

  it("waits until a row is due, without keeping the others", async () => {
    const { clock } = await open([]);
    const due = clock.now() + 500;
    const rows = kilo.map((row) => (row.seq % 2 === 1 ? { ...row, notBefore: due } : row));
    const box = await open(rows, { windowDepth: 1_000 });
    const even = names("n", 3_000).filter((_, n) => n % 2 === 1);
    const before = await box.all();
    assert.deepEqual(before, even.slice(0, before.length));
    assert.ok(before.length >= 500, "the window is filled with what is not due");
    await box.clock.advance(499);
    assert.equal(await box.next(), undefined);
    await box.clock.advance(1);
    const after = await box.all();
    assert.equal(before.length + after.length, 3_000);
    assert.deepEqual(
      after.filter((name) => even.includes(name)),
      even.slice(before.length),
    );
  });

  it("damaged and exhausted rows become dead letters, in whatever page they are", async () => {
    const rows = kilo.map((row) => {
      if (row.seq === 700) return { ...row, payload: Uint8Array.of(255, 255) };
      if (row.seq === 1_500) return { ...row, from: Uint8Array.of(255, 255) };
      return row.seq === 2_999 ? { ...row, attempts: 5 } : row;
    });
    const box = await open(rows);
    const dead = ["n699", "n1499", "n2998"];
    assert.deepEqual(
      await box.all(),
      names("n", 3_000).filter((name) => !dead.includes(name)),
    );
    const letters = await box.store.deadLetters(9, { first: "oldest" });
    assert.deepEqual(
      letters.map(({ category, messageId }) => [category, messageId]),
      [
        ["protobuf_decode", "row-700"],
        ["unknown_sender", "row-1500"],
        ["exhausted", "row-2999"],
      ],
    );
    assert.deepEqual(await box.store.mailboxRows(0, 9), []);
    assert.equal(box.mailbox.idle, true);
  });

  it("a page whose dead letter cannot be written is read again: nothing is lost, nothing comes twice", async () => {
    const rows = kilo.slice(0, 1_000);
    const poison = rows.map((row) =>
      row.seq === 800 ? { ...row, payload: Uint8Array.of(255) } : row,
    );
    const box = await open(poison);
    box.store.refuses = (changes) =>
      changes.some(({ kind }) => kind === "deadLetter.put")
        ? new ActrError("storage", "disk full")
        : undefined;
    const first = await box.all();
    assert.deepEqual(first, names("n", 512));
    assert.deepEqual(await box.store.deadLetters(9), []);
    box.store.refuses = () => undefined;
    await box.clock.advance(1_000);
    const expected = names("n", 1_000).filter((name) => name !== "n799");
    assert.deepEqual([...first, ...(await box.all())], expected);
    assert.equal((await box.store.deadLetters(9)).length, 1);
  });

  it("a store that cannot be read is asked again, later each time; what needs no store goes on", async () => {
    const box = await open(kilo);
    box.store.readError = new ActrError("storage", "disk broken");
    const first = await box.all();
    assert.deepEqual(first, names("n", 512));
    box.mailbox.enqueue(box.arrive("volatile", 0, false));
    assert.equal(await box.next(), "volatile");
    for (const [pauseMs, failures] of [
      [1_000, 1],
      [2_000, 2],
      [4_000, 3],
    ] as const) {
      assert.equal(box.errors.length, failures);
      await box.clock.advance(pauseMs - 1);
      assert.equal(box.errors.length, failures);
      await box.clock.advance(1);
    }
    assert.equal(box.errors.at(-1), "mailbox.refill_failed");
    box.store.readError = undefined;
    await box.clock.advance(8_000);
    assert.deepEqual([...first, ...(await box.all())], names("n", 3_000));
  });

  it("stops at once when closed: while it reads, and while it pauses", async () => {
    const reading = await open(kilo);
    const door = gate();
    reading.store.readHold = door.promise;
    assert.equal((await reading.all()).length, 512);
    const closing = reading.refill.close();
    door.open();
    await closing;
    assert.equal(await reading.next(), undefined, "what was read is not handed out");

    const pausing = await open(kilo);
    pausing.store.readError = new ActrError("storage", "disk broken");
    await pausing.all();
    assert.equal(pausing.clock.pending, 1);
    await pausing.refill.close();
    assert.equal(pausing.clock.pending, 0);
  });

  it("a row that the store refuses is taken back, with its room, whatever waits before it", async () => {
    const box = await open(kilo, { maxDepth: 3_001 });
    box.store.refuses = () => new ActrError("storage", "disk full");
    const lost = box.arrive("lost");
    await assert.rejects(enqueueDurable(box.mailbox, lost), { code: "storage" });
    assert.equal(box.mailbox.withdraw(lost), true);
    assert.equal(box.mailbox.withdraw(lost), false);
    box.store.refuses = () => undefined;
    assert.deepEqual(box.counts(), [3_000, 0, 0]);
    await box.put("kept");
    assert.deepEqual(await box.all(), [...names("n", 3_000), "kept"]);
    assert.equal(box.mailbox.idle, true);
  });

  it("a row put aside is handed out when it is on disk, behind everything before it", async () => {
    const box = await open([]);
    await box.put("first");
    const door = gate();
    box.store.hold = door.promise;
    const end = { kind: "deadLetter.delete", id: "letter" } as const;
    const aside = box.mailbox.putAside(box.maker.row(told("aside"), from.bytes, 0), [end]);
    assert.deepEqual(box.counts(), [2, 0, 0]);
    box.mailbox.enqueue(box.arrive("volatile", 0, false));
    assert.deepEqual(box.store.kinds.at(-1), "mailbox.put deadLetter.delete");
    assert.equal(box.mailbox.claim()?.envelope.requestId, "first");
    await box.clock.settle();
    assert.equal(box.mailbox.claim(), undefined);
    door.open();
    await aside;
    await box.clock.settle();
    assert.deepEqual(await box.all(), ["aside", "volatile"]);
  });

  it("keeps order and count over anything that may happen", async () => {
    for (let seed = 1; seed <= 100; seed++) await wander(new SeededRandom(seed), seed);
  });
});

/** Random arrivals, claims and pauses over a small window: each priority is handed out as it arrived. */
async function wander(random: SeededRandom, seed: number): Promise<void> {
  const pick = (below: number): number => (random.bytes(1)[0] ?? 0) % below;
  const before = names("e", pick(12));
  const rows = before.map((name, n) => left(n + 1, name, { priority: pick(2) as Priority }));
  const box = await open(rows, { windowDepth: 1 + pick(5), highBurst: 1 + pick(3) });
  const expected: string[][] = [[], []];
  for (const [n, { priority }] of rows.entries()) expected[priority]?.push(`e${n}`);
  const inFlight: InboundMessage[] = [];
  const seen: string[][] = [[], []];
  const claim = (): boolean => {
    const message = box.mailbox.claim();
    if (message === undefined) return false;
    seen[message.priority]?.push(message.envelope.requestId);
    inFlight.push(message);
    return true;
  };
  const finish = (): void => {
    const [message] = inFlight.splice(pick(inFlight.length || 1), 1);
    if (message === undefined) return;
    box.mailbox.ack(message);
    if (message.row) void box.store.commit([{ kind: "mailbox.ack", seq: message.row.seq }]);
  };
  for (let step = 0; step < 60; step++) {
    const priority = pick(2) as Priority;
    switch (pick(6)) {
      case 0:
      case 1:
        void box.put(`d${step}`, priority);
        expected[priority]?.push(`d${step}`);
        break;
      case 2:
        try {
          box.mailbox.enqueue(box.arrive(`v${step}`, priority, false));
          expected[priority]?.push(`v${step}`);
        } catch (error) {
          assert.equal(ActrError.from(error).code, "overloaded");
        }
        break;
      case 3:
        claim();
        break;
      case 4:
        finish();
        break;
      default:
        for (let turns = pick(9); turns > 0; turns--) await Promise.resolve();
    }
    const waiting = expected.flat().length - seen.flat().length;
    assert.equal(box.mailbox.status().queued, waiting, `seed ${seed}, step ${step}`);
  }
  for (let idle = 0; idle < 2; ) {
    if (claim()) idle = 0;
    else if (inFlight.length > 0) finish();
    else {
      await box.clock.settle();
      idle += 1;
    }
  }
  assert.deepEqual(seen, expected, `seed ${seed}`);
  assert.equal(box.mailbox.idle, true);
  assert.deepEqual(await box.store.mailboxRows(0, 9), []);
}
