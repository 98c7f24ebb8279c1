import type { Link, Links } from "../link.ts";

const nanosecondsPerMs = 1_000_000n;

/** Both clocks tell milliseconds, and no more: guests need no better ones. */
export const clockLinks: Links = {
  now: (guest) => () => BigInt(Math.floor(guest.components.clock.monotonic())) * nanosecondsPerMs,
  resolution: () => () => nanosecondsPerMs,
};

/** `datetime`: seconds 0, nanoseconds 8; 16 bytes. */
function datetime(milliseconds: (guest: Parameters<Link>[0]) => number): Link {
  return (guest) => (at: number) => {
    const { memory } = guest;
    const now = milliseconds(guest);
    memory.requireInside(at >>> 0, 16, 8);
    memory.view.setBigUint64(at >>> 0, BigInt(Math.floor(now / 1_000)), true);
    memory.view.setUint32((at >>> 0) + 8, Math.floor(now % 1_000) * 1_000_000, true);
  };
}

/** Time since 1970. */
export const wallClockLinks: Links = {
  now: datetime((guest) => guest.components.clock.now()),
  resolution: datetime(() => 1),
};
