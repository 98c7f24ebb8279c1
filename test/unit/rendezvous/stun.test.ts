import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import type { DatagramAddress, Datagrams } from "../../../src/ports/datagrams.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import { crc32 } from "../../../src/protocol/crc32.ts";
import { addressBytes } from "../../../src/rendezvous/stun/address_bytes.ts";
import { stunAnswer } from "../../../src/rendezvous/stun/stun_answer.ts";
import {
  readStunMessage,
  stunAttributes,
  writeStunMessage,
} from "../../../src/rendezvous/stun/stun_message.ts";
import { openStunServer } from "../../../src/rendezvous/stun/stun_server.ts";

const hex = (text: string): Uint8Array => {
  const bytes = fromHex(text.replaceAll(/\s/g, ""));
  assert.ok(bytes !== undefined);
  return bytes;
};

const cookie = "2112a442";
const transaction = "b7e7a701bc34d686fa87dfae";
const plain = `0001 0000 ${cookie} ${transaction}`;
const from = { address: "192.0.2.1", port: 32_853 };

const typesOf = (answer: Uint8Array | undefined): number[] =>
  (readStunMessage(answer ?? new Uint8Array())?.attributes ?? []).map(({ type }) => type);

describe("STUN", () => {
  it("answers where a question came from, as the samples of RFC 5769 do", () => {
    // The mapped addresses of RFC 5769 §2.2 and §2.3, for the same transaction.
    const v4 = stunAnswer(hex(plain), from);
    assert.equal(
      toHex(v4 ?? new Uint8Array()),
      toHex(hex(`0101 000c ${cookie} ${transaction} 0020 0008 0001 a147 e112a643`)),
    );
    const address = "2001:db8:1234:5678:11:2233:4455:6677";
    const v6 = stunAnswer(hex(plain), { address, port: 32_853 });
    assert.equal(
      toHex(v6?.subarray(20) ?? new Uint8Array()),
      toHex(hex("0020 0014 0002 a147 0113a9faa5d3f179bc25f4b5bed2b9d9")),
    );
  });

  it("answers the sample request of RFC 5769, which proves itself and is whole", () => {
    const sample = hex(`
      0001 0058 2112a442 b7e7a701bc34d686fa87dfae
      8022 0010 5354554e207465737420636c69656e74
      0024 0004 6e0001ff
      8029 0008 932ff9b151263b36
      0006 0009 6576746a3a68367659202020
      0008 0014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
      8028 0004 e57a3bcf`);
    assert.deepEqual(typesOf(stunAnswer(sample, from)), [
      stunAttributes.xorMappedAddress,
      stunAttributes.fingerprint,
    ]);
    const damaged = sample.slice();
    damaged[25] = (damaged[25] ?? 0) ^ 1;
    assert.equal(stunAnswer(damaged, from), undefined);
  });

  it("names what it had to understand and does not", () => {
    const id = hex(cookie + transaction);
    const question = writeStunMessage(
      0x0001,
      id,
      [{ type: 0x7abc, value: new Uint8Array(3) }],
      true,
    );
    const refusal = readStunMessage(stunAnswer(question, from) ?? new Uint8Array());
    assert.equal(refusal?.type, 0x0111);
    const [code, unknown] = refusal?.attributes ?? [];
    assert.equal(toHex(code?.value.subarray(0, 4) ?? new Uint8Array()), "00000414");
    assert.equal(toHex(unknown?.value ?? new Uint8Array()), "7abc");
    assert.deepEqual(typesOf(stunAnswer(question, from)), [0x0009, 0x000a, 0x8028]);
  });

  it("passes over what it need not understand", () => {
    const id = hex(cookie + transaction);
    const question = writeStunMessage(
      0x0001,
      id,
      [{ type: 0x8abc, value: Uint8Array.of(1) }],
      false,
    );
    assert.deepEqual(typesOf(stunAnswer(question, from)), [stunAttributes.xorMappedAddress]);
  });

  it("passes over login and other uses of the port, which answer nobody more", () => {
    const id = hex(cookie + transaction);
    for (const type of [0x06, 0x08, 0x14, 0x15, 0x1c, 0x1d, 0x1e, 0x24, 0x25]) {
      const question = writeStunMessage(0x0001, id, [{ type, value: Uint8Array.of(1) }], false);
      const types = typesOf(stunAnswer(question, from));
      assert.deepEqual(types, [stunAttributes.xorMappedAddress], type.toString(16));
    }
  });

  it("says nothing to what is no question", () => {
    for (const other of [
      "",
      plain.slice(0, -2),
      `${plain}00000000`,
      `0101 0000 ${cookie} ${transaction}`,
      `4001 0000 ${cookie} ${transaction}`,
      `0001 0000 2112a443 ${transaction}`,
      `0001 0002 ${cookie} ${transaction} 0000`,
      `0001 0004 ${cookie} ${transaction} 80220001`,
      `0001 0004 ${cookie} ${transaction} 80280000`,
      // Longer than a packet.
      `0001 05cc ${cookie} ${transaction} 802205c8 ${"00".repeat(1480)}`,
    ]) {
      assert.equal(stunAnswer(hex(other), from), undefined, other);
    }
  });

  it("takes a fingerprint at the end alone, and of four bytes", () => {
    const id = hex(cookie + transaction);
    const marked = writeStunMessage(0x0001, id, [], true);
    assert.equal(typesOf(stunAnswer(marked, from)).at(-1), stunAttributes.fingerprint);
    const followed = new Uint8Array([...marked, ...hex("80220000")]);
    followed[3] = 12;
    // The checksum covers the length, too, up to the fingerprint.
    new DataView(followed.buffer).setUint32(
      24,
      (crc32(followed.subarray(0, 20)) ^ 0x5354554e) >>> 0,
    );
    assert.equal(stunAnswer(followed, from), undefined);
  });

  it("answers a question that fills a packet", () => {
    const question = `0001 05c8 ${cookie} ${transaction} 802205c4 ${"00".repeat(1476)}`;
    assert.deepEqual(typesOf(stunAnswer(hex(question), from)), [stunAttributes.xorMappedAddress]);
  });

  it("survives whatever comes", () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 5_000; round++) {
      const bytes = new Uint8Array(random.bytes(round % 64));
      if (bytes.length > 8) bytes.set(hex(plain).subarray(0, 8));
      stunAnswer(bytes, from);
    }
  });
});

describe("a STUN server", () => {
  it("sends so many answers in a second, and no more", async () => {
    const clock = new FakeClock();
    let ask: (data: Uint8Array, from: DatagramAddress) => void = () => {};
    let answers = 0;
    const socket = { port: 1, send: () => void answers++, [Symbol.asyncDispose]: async () => {} };
    const datagrams: Datagrams = {
      async open(_, received) {
        ask = received;
        return socket;
      },
    };
    await openStunServer({ clock, datagrams }, { port: 1 });
    const question = hex(plain);
    for (let sent = 0; sent < 6_000; sent++) ask(question, from);
    assert.equal(answers, 5_000);
    await clock.advance(1_000);
    for (let sent = 0; sent < 6_000; sent++) ask(question, from);
    assert.equal(answers, 10_000);
  });
});

describe("bytes of addresses", () => {
  it("reads what runtimes write", () => {
    assert.deepEqual(addressBytes("10.0.255.1"), [10, 0, 255, 1]);
    assert.deepEqual(addressBytes("::ffff:10.0.255.1"), [10, 0, 255, 1]);
    assert.deepEqual(addressBytes("::1"), [...Array<number>(15).fill(0), 1]);
    assert.deepEqual(addressBytes("fe80::1%eth0")?.slice(0, 2), [0xfe, 0x80]);
    assert.deepEqual(addressBytes("::"), Array<number>(16).fill(0));
    assert.deepEqual(
      addressBytes("1:2:3:4:5:6:7:8"),
      [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8],
    );
  });

  it("refuses what is none", () => {
    for (const text of [
      "",
      "1.2.3",
      "1.2.3.256",
      "1.2.3.x",
      "1:2",
      "1::2::3",
      "1:2:3:4:5:6:7::8:9",
      "g::",
    ]) {
      assert.equal(addressBytes(text), undefined, text);
    }
  });
});
