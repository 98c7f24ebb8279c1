import type { EntryOutcome } from "../../../ports/guest_host.ts";
import { fallibleEntries, observingEntries } from "./guest_exports.ts";
import type { GuestMemory } from "./guest_memory.ts";
import { liftError, liftFlag } from "./lift_values.ts";
import type { Link, Links } from "./link.ts";

/** Results that may be errors: bytes of a dispatch are (a, b), an error is its case a and its value (b, c, d, e). */
function fallible(name: (typeof fallibleEntries)[number]): Link {
  return (guest) =>
    (kind: number, a: number, b: number, c: bigint, d: number, e: number): void => {
      const { memory } = guest;
      memory.lifted = 0;
      const outcome: EntryOutcome = liftFlag(kind)
        ? { error: liftError(memory, { tag: a, a: b, b: c, c: d, d: e }) }
        : { ok: name === "dispatch" ? liftOwn(memory, a, b) : undefined };
      guest.return(name, outcome);
    };
}

function liftOwn(memory: GuestMemory, place: number, length: number): Uint8Array {
  return memory.bytesAt(place >>> 0, length >>> 0);
}

function observing(name: (typeof observingEntries)[number]): Link {
  return (guest) => (): void => {
    guest.memory.lifted = 0;
    guest.return(name, { ok: undefined });
  };
}

function named(name: string): string {
  return `[task-return]${name}`;
}

/** How entries give their results, `[export]` of the workload's interface (`spec/guest.md` §17). */
export const returnLinks: Links = Object.fromEntries([
  ...fallibleEntries.map((name) => [named(name), fallible(name)]),
  ...observingEntries.map((name) => [named(name), observing(name)]),
]);
