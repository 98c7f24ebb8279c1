import type { BackpressureEvent } from "../hooks.ts";
import type { DepthObserver } from "./mailbox.ts";

/** Watches the depth: `raised` once when it reaches the threshold, `cleared` once when it is below again (`spec/node.md` §8.5). */
export function backpressureWatch(
  threshold: number,
  raised: (event: BackpressureEvent) => void,
  cleared: () => void,
): DepthObserver {
  let high = false;
  return (queueLength) => {
    if (queueLength >= threshold === high) return;
    high = !high;
    if (high) raised({ queueLength, threshold });
    else cleared();
  };
}
