import type { HostAnswer, HostCall } from "../../../ports/guest_host.ts";
import type { ActrId } from "../../../protocol/ids.ts";
import type { GuestMemory } from "./guest_memory.ts";
import { liftChunk, liftDestination, liftId, liftLane, liftType } from "./lift_values.ts";
import { lowerError, lowerId } from "./lower_values.ts";

/** Calls whose arguments lie in memory, by one place. */
export type SpilledCall = Exclude<HostCall["name"], "register-stream" | "unregister-stream">;

/** Bytes of the arguments of a call. */
const argumentBytes: Readonly<Record<SpilledCall, number>> = {
  call: 72,
  tell: 72,
  "call-raw": 64,
  discover: 32,
  "send-data-chunk": 112,
  "log-message": 24,
};

/** Bytes of the result of a call; none for a line of the log. */
export function resultBytes(name: HostCall["name"]): number {
  if (name === "log-message") return 0;
  return name === "discover" ? 48 : 32;
}

/** Reads the call whose arguments are at `at` (`spec/guest.md` §17). */
export function liftCall(memory: GuestMemory, name: SpilledCall, at: number): HostCall {
  memory.requireInside(at, argumentBytes[name], 8);
  const token = memory.view.getBigUint64(at, true);
  switch (name) {
    case "call":
    case "tell":
      return {
        name,
        token,
        target: liftDestination(memory, at + 8),
        routeKey: memory.liftText(at + 56),
        payload: memory.liftBytes(at + 64),
      };
    case "call-raw":
      return {
        name,
        token,
        target: liftId(memory, at + 8),
        routeKey: memory.liftText(at + 48),
        payload: memory.liftBytes(at + 56),
      };
    case "discover":
      return { name, token, type: liftType(memory, at + 8) };
    case "send-data-chunk":
      return {
        name,
        token,
        target: liftDestination(memory, at + 8),
        chunk: liftChunk(memory, at + 56),
        lane: liftLane(memory, at + 104),
      };
    case "log-message":
      return { name, token, level: memory.liftText(at + 8), message: memory.liftText(at + 16) };
  }
}

/** Writes the answer to a call to the place that the guest gave: 0 and the value at 8, or 1 and the error at 8. */
export function lowerAnswer(
  memory: GuestMemory,
  name: HostCall["name"],
  at: number,
  answer: HostAnswer,
): void {
  if (name === "log-message") return;
  memory.view.setUint8(at, "error" in answer ? 1 : 0);
  if ("error" in answer) return lowerError(memory, at + 8, answer.error);
  if (name === "discover") return lowerId(memory, at + 8, answer.ok as ActrId);
  if (name === "call" || name === "call-raw") memory.lowerBytes(at + 8, answer.ok as Uint8Array);
}
