import { liftCall, resultBytes, type SpilledCall } from "./host_calls.ts";
import type { Link, Links } from "./link.ts";

/** A call whose arguments lie in memory. */
function spilled(name: SpilledCall): Link {
  return (guest) =>
    (args: number, resultAt = 0): number => {
      const { memory } = guest;
      memory.lifted = 0;
      memory.requireInside(resultAt >>> 0, resultBytes(name), 8);
      return guest.perform(liftCall(memory, name, args >>> 0), resultAt >>> 0);
    };
}

/** A call of a stream's id, which comes as it is. */
function ofStream(name: "register-stream" | "unregister-stream"): Link {
  return (guest) =>
    (token: bigint, place: number, length: number, resultAt: number): number => {
      const { memory } = guest;
      memory.lifted = 0;
      memory.requireInside(resultAt >>> 0, resultBytes(name), 8);
      const streamId = memory.textAt(place >>> 0, length >>> 0);
      const call = { name, token: BigInt.asUintN(64, token), streamId };
      return guest.perform(call, resultAt >>> 0);
    };
}

/** Interface `actr:workload/host@0.2.0` (`spec/guest.md` §13, §17). */
export const hostLinks: Links = {
  "[async-lower]call": spilled("call"),
  "[async-lower]tell": spilled("tell"),
  "[async-lower]call-raw": spilled("call-raw"),
  "[async-lower]discover": spilled("discover"),
  "[async-lower]register-stream": ofStream("register-stream"),
  "[async-lower]unregister-stream": ofStream("unregister-stream"),
  "[async-lower]send-data-chunk": spilled("send-data-chunk"),
  "[async-lower]log-message": spilled("log-message"),
};
