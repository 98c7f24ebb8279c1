import type { World } from "./command.ts";

/** Pause between two lines about one piece of work, milliseconds. */
const pauseMs = 1_000;

/** Tells how far long work is, on standard error: every second, beginning after the first, or at once. */
export function progress(
  { err, clock }: Pick<World, "err" | "clock">,
  begin: "at once" | "after a second",
): (text: string) => void {
  let nextAt = clock.monotonic() + (begin === "at once" ? 0 : pauseMs);
  return (text) => {
    const now = clock.monotonic();
    if (now < nextAt) return;
    nextAt = now + pauseMs;
    err(`roost: ${text} so far`);
  };
}
