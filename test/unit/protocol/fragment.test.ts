import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toHex, utf8 } from "../../../src/protocol/bytes.ts";
import { fragmentCount, maxFragments } from "../../../src/protocol/fragment.ts";
import {
  fragmentOverheadBytes,
  Reassembler,
  type ReassemblyDrop,
  type ReassemblyLimits,
} from "../../../src/protocol/reassembler.ts";
import { Prng } from "./prng.ts";
import { fragmentsOf, hex, refusal } from "./support.ts";

const limits: ReassemblyLimits = { maxBytes: 10_000, maxPartials: 8, maxIdleMs: 5_000 };

function open(changes: Partial<ReassemblyLimits> = {}): {
  reassembler: Reassembler;
  drops: ReassemblyDrop[];
} {
  const drops: ReassemblyDrop[] = [];
  const reassembler = new Reassembler({ ...limits, ...changes }, (reason) => drops.push(reason));
  return { reassembler, drops };
}

/** Message 1 in three fragments of two, two and one byte. */
function three(body = "abcde", id = 1): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const [a, b, c] = fragmentsOf(utf8(body), id, 10);
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  return [a, b, c];
}

describe("fragments of a body", () => {
  it("have a header of message, index and count (spec/transport.md §15)", () => {
    const [single, ...none] = fragmentsOf(utf8("hello"), 42);
    assert.equal(toHex(single ?? new Uint8Array()), "0000002a0000000168656c6c6f");
    assert.equal(none.length, 0);
    const fourth = fragmentsOf(new Uint8Array(7), 0xdeadbeef, 9)[3];
    assert.equal(toHex(fourth ?? new Uint8Array()).slice(0, 16), "deadbeef00030007");
  });

  it("are full but for the last (spec/transport.md §15)", () => {
    for (const [length, count, last] of [
      [0, 1, 0],
      [65_527, 1, 65_527],
      [65_528, 2, 1],
      [66_560, 2, 1_033],
      [102_400, 2, 36_873],
      [204_800, 4, 8_219],
      [524_288, 9, 72],
      [1_048_576, 17, 144],
    ] as const) {
      const messages = fragmentsOf(new Uint8Array(length), 1);
      assert.equal(messages.length, count);
      assert.equal(fragmentCount(length), count);
      for (const message of messages.slice(0, -1)) assert.equal(message.length, 65_535);
      assert.equal(messages.at(-1)?.length, last + 8);
    }
  });

  it("are at most 65535, and never without room", () => {
    assert.equal(fragmentsOf(new Uint8Array(maxFragments), 1, 9).length, maxFragments);
    refusal("invalid_argument", () => fragmentsOf(new Uint8Array(maxFragments + 1), 1, 9));
    for (const room of [8, 0, -1, Number.NaN]) {
      refusal("invalid_argument", () => fragmentsOf(new Uint8Array(1), 1, room));
    }
  });
});

describe("reassembler", () => {
  it("delivers an unfragmented message at once, without copying", () => {
    const { reassembler } = open();
    const message = hex("0000002a0000000168656c6c6f");
    const body = reassembler.accept(message, 0);
    assert.deepEqual(body, utf8("hello"));
    assert.equal(body?.buffer, message.buffer);
  });

  it("takes fragments in any order, of several messages at once", () => {
    const { reassembler, drops } = open();
    const [a, b, c] = three("abcde", 1);
    const [x, y, z] = three("vwxyz", 2);
    assert.equal(reassembler.accept(c, 0), undefined);
    assert.equal(reassembler.accept(y, 0), undefined);
    assert.equal(reassembler.accept(a, 0), undefined);
    assert.equal(reassembler.accept(x, 0), undefined);
    assert.deepEqual(reassembler.accept(b, 0), utf8("abcde"));
    assert.deepEqual(reassembler.accept(z, 0), utf8("vwxyz"));
    assert.equal(reassembler.heldBytes, 0);
    assert.equal(reassembler.partials, 0);
    assert.deepEqual(drops, []);
  });

  it("lets a duplicate index overwrite", () => {
    const { reassembler } = open();
    const [a, b, c] = three();
    const [other] = three("XYcde");
    reassembler.accept(a, 0);
    reassembler.accept(other, 0);
    assert.equal(reassembler.heldBytes, 2 + fragmentOverheadBytes);
    reassembler.accept(b, 0);
    assert.deepEqual(reassembler.accept(c, 0), utf8("XYcde"));
  });

  it("drops short messages, a count of zero and an index beyond the count", () => {
    const { reassembler, drops } = open();
    for (const message of [
      "",
      "00000001000000",
      "0000000100000000",
      "0000000100010001",
      "0000000100050003",
    ]) {
      assert.equal(reassembler.accept(hex(message), 0), undefined);
    }
    assert.deepEqual(drops, Array(5).fill("malformed"));
    assert.equal(reassembler.partials, 0);
  });

  it("takes another count under a known id as another message", () => {
    const { reassembler, drops } = open();
    const [a] = three();
    reassembler.accept(a, 0);
    const [x, y] = fragmentsOf(utf8("xyz"), 1, 10) as [Uint8Array, Uint8Array];
    reassembler.accept(x, 0);
    assert.deepEqual(drops, ["malformed"]);
    assert.deepEqual(reassembler.accept(y, 0), utf8("xyz"));
    assert.equal(reassembler.heldBytes, 0);
  });

  it("gives up a message that gets no fragment for too long", () => {
    const { reassembler, drops } = open();
    const [a, b, c] = three();
    reassembler.accept(a, 0);
    reassembler.accept(b, 5_000);
    reassembler.expire(10_000);
    assert.equal(reassembler.partials, 1);
    reassembler.expire(10_001);
    assert.deepEqual(drops, ["expired"]);
    assert.equal(reassembler.accept(c, 10_001), undefined);
    reassembler.accept(three("vwxyz", 2)[0], 20_000);
    assert.deepEqual(drops, ["expired", "expired"]);
    assert.equal(reassembler.partials, 1);
  });

  it("gives up the message longest without a fragment when there are too many", () => {
    const { reassembler, drops } = open({ maxPartials: 2 });
    const first = three("abcde", 1);
    reassembler.accept(first[0], 0);
    reassembler.accept(three("-----", 2)[0], 0);
    reassembler.accept(first[1], 0);
    reassembler.accept(three("-----", 3)[0], 0);
    assert.deepEqual(drops, ["overflow"]);
    assert.deepEqual(reassembler.accept(first[2], 0), utf8("abcde"));
  });

  it("holds no more bytes than it may, also of one message and of empty fragments", () => {
    const { reassembler, drops } = open();
    const messages = fragmentsOf(new Uint8Array(40_000), 1, 1_008);
    for (const message of messages) {
      reassembler.accept(message, 0);
      assert.ok(reassembler.heldBytes <= limits.maxBytes);
    }
    assert.ok(drops.includes("overflow"));
    for (let index = 0; index < 60_000; index++) {
      const empty = new Uint8Array(8);
      new DataView(empty.buffer).setUint32(4, index * 0x1_0000 + 65_535);
      reassembler.accept(empty, 0);
    }
    assert.ok(reassembler.heldBytes <= limits.maxBytes);
  });

  it("undoes splitting for random bodies, shuffled and interleaved", () => {
    const random = new Prng(4);
    for (let round = 0; round < 200; round++) {
      const { reassembler } = open({ maxBytes: 1_000_000 });
      const bodies = Array.from({ length: 3 }, () => random.bytes(random.below(400)));
      const size = 9 + random.below(100);
      const messages = bodies.flatMap((body, id) =>
        fragmentsOf(body, id, size).map((message) => ({ message, id, at: random.u32() })),
      );
      messages.sort((a, b) => a.at - b.at);
      const delivered = new Map<number, Uint8Array>();
      for (const { message, id } of messages) {
        const body = reassembler.accept(message, 0);
        if (body !== undefined) delivered.set(id, body);
      }
      for (const [id, body] of bodies.entries()) assert.deepEqual(delivered.get(id), body);
      assert.equal(reassembler.heldBytes, 0);
    }
  });
});
