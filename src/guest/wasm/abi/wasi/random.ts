import type { Bridge } from "../bridge.ts";
import type { Link, Links } from "../link.ts";
import { exceed } from "../trap.ts";

/** Most random bytes at once. */
const mostBytes = 65_536n;

function word(guest: Bridge): bigint {
  const bytes = guest.components.random.bytes(8);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}

const bytes: Link = (guest) => (length: bigint, resultAt: number) => {
  if (BigInt.asUintN(64, length) > mostBytes) exceed(`${mostBytes} random bytes at once`);
  const { memory } = guest;
  memory.requireInside(resultAt >>> 0, 8, 4);
  guest.meter.charge(Number(length));
  memory.lowerBytes(resultAt >>> 0, guest.components.random.bytes(Number(length)));
};

const number: Link = (guest) => () => {
  guest.meter.charge(8);
  return word(guest);
};

/** Randomness of the node's own source. */
export const randomLinks: Links = { "get-random-bytes": bytes, "get-random-u64": number };

/** The same, under its other name. */
export const insecureLinks: Links = {
  "get-insecure-random-bytes": bytes,
  "get-insecure-random-u64": number,
};

/** Two words, for hash tables. */
export const insecureSeedLinks: Links = {
  "insecure-seed": (guest) => (at: number) => {
    const { memory } = guest;
    memory.requireInside(at >>> 0, 16, 8);
    guest.meter.charge(16);
    memory.view.setBigUint64(at >>> 0, word(guest), true);
    memory.view.setBigUint64((at >>> 0) + 8, word(guest), true);
  },
};
