import type { ActrError } from "../errors.ts";
import type { OutboundOptions } from "../options.ts";
import { type Lane, lanes } from "../protocol/frame.ts";
import { isNoRoute } from "../session/dialer.ts";

/** How often a lane's sends are tried, and the pauses between (`spec/transport.md` §7.5). */
export interface RetryPolicy {
  readonly attempts: number;
  readonly pausesMs: readonly number[];
}

export function retryPolicy(lane: Lane, options: OutboundOptions): RetryPolicy {
  switch (lane) {
    case lanes.rpcReliable:
      return { attempts: options.reliableAttempts, pausesMs: options.reliablePausesMs };
    case lanes.rpcSignal:
      return { attempts: options.signalAttempts, pausesMs: options.signalPausesMs };
    default:
      return { attempts: 1, pausesMs: [] };
  }
}

/** Whether another try of the same call may help: not where there is no way to the peer, nor once this node stops (no peer says so under that code). */
export function mayRetry(error: ActrError): boolean {
  return error.retryable && error.code !== "stopping" && !isNoRoute(error);
}

/** Whether this node may not send now: the first attempt says so at once, later ones try again (`spec/transport.md` §7.4). */
export function isRefusal(error: ActrError, attempt: number): boolean {
  return attempt === 1 && error.code === "connection_not_ready";
}

/** The pause after attempt number `attempt` (from 1), milliseconds: what the peer asked for, else the policy's. */
export function pauseAfter(
  policy: RetryPolicy,
  attempt: number,
  hintMs: number | undefined,
): number {
  return hintMs ?? policy.pausesMs[attempt - 1] ?? policy.pausesMs.at(-1) ?? 0;
}
