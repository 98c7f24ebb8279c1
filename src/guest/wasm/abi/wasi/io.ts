import type { Bridge } from "../bridge.ts";
import type { Link, Links } from "../link.ts";
import { trap } from "../trap.ts";

/** Handle of the one thing to poll: whatever guests may wait for here is ready. */
const ready = 1;

/** What a stream takes at once, bytes. */
const permitted = 65_536;

/** Case `closed` of `stream-error`. */
const closed = 1;

/** Writes `result<_, stream-error>`: success. */
function succeed(guest: Bridge, at: number): void {
  const { memory } = guest;
  memory.requireInside(at, 12, 4);
  memory.view.setUint8(at, 0);
}

const write: Link =
  (guest) =>
  (stream: number, place: number, length: number, resultAt: number): void => {
    if (length >>> 0 > permitted) trap(`it writes more than ${permitted} bytes at once`);
    const { memory } = guest;
    memory.lifted = 0;
    guest.output.write(stream, memory.bytesAt(place >>> 0, length >>> 0));
    guest.meter.charge(memory.lifted);
    succeed(guest, resultAt >>> 0);
  };

const flush: Link = (guest) => (_stream: number, resultAt: number) =>
  succeed(guest, resultAt >>> 0);

const subscribe: Link = () => () => ready;

/** There is no input: `result<list<u8>, stream-error>`, closed. */
const read: Link = (guest) => (_stream: number, _length: bigint, resultAt: number) => {
  const { memory } = guest;
  memory.requireInside(resultAt >>> 0, 12, 4);
  memory.view.setUint8(resultAt >>> 0, 1);
  memory.view.setUint8((resultAt >>> 0) + 4, closed);
};

/** Input that is over, and output that goes to the log line by line. */
export const streamLinks: Links = {
  "[method]input-stream.read": read,
  "[method]input-stream.blocking-read": read,
  "[method]input-stream.subscribe": subscribe,
  "[method]output-stream.check-write": (guest) => (_stream: number, resultAt: number) => {
    const { memory } = guest;
    memory.requireInside(resultAt >>> 0, 16, 8);
    memory.view.setUint8(resultAt >>> 0, 0);
    memory.view.setBigUint64((resultAt >>> 0) + 8, BigInt(permitted), true);
  },
  "[method]output-stream.write": write,
  "[method]output-stream.blocking-write-and-flush": write,
  "[method]output-stream.flush": flush,
  "[method]output-stream.blocking-flush": flush,
  "[method]output-stream.subscribe": subscribe,
  "[resource-drop]input-stream": () => () => {},
  "[resource-drop]output-stream": () => () => {},
};

/** No call here fails with an error that could be read. */
export const errorLinks: Links = {
  "[method]error.to-debug-string": () => () => trap("it has no such error of a stream"),
  "[resource-drop]error": () => () => {},
};

/** All is ready at once. */
export const pollLinks: Links = {
  "[method]pollable.ready": () => () => 1,
  "[method]pollable.block": () => () => {},
  "[resource-drop]pollable": () => () => {},
  poll: (guest) => (place: number, count: number, resultAt: number) => {
    const { memory } = guest;
    memory.requireInside(place >>> 0, 4 * (count >>> 0), 4);
    memory.requireInside(resultAt >>> 0, 8, 4);
    const list = memory.lowerElements(resultAt >>> 0, count >>> 0, 4, 4);
    for (let index = 0; index < count >>> 0; index++) {
      memory.view.setUint32(list + 4 * index, index, true);
    }
    guest.meter.charge(4 * (count >>> 0));
  },
};
