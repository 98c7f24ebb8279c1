import { ActrError } from "../errors.ts";
import { checkNetworkEvent, type NetworkAction, type NetworkEvent } from "./network_event.ts";

/** What became of one event. */
export interface NetworkResult {
  readonly event: NetworkEvent;
  /** What was done for the batch that the event was in. */
  readonly action: NetworkAction;
  /** A node that is not reconnected yet goes on trying by itself. */
  readonly success: boolean;
  readonly error?: ActrError;
  /** From the report to the end of the action, milliseconds. */
  readonly durationMs: number;
}

/** One event and who waits for its result. */
export interface NetworkReport {
  readonly event: NetworkEvent;
  readonly resolve: (result: NetworkResult) => void;
  readonly reject: (error: ActrError) => void;
}

/** Events that wait for a node to start; further ones are refused. */
const maxWaiting = 100;

/**
 * Where an application tells a node that the network changed, or that it was in the background
 * itself (`spec/node.md` §16). Every node has one; one made before the node keeps what it is told until the node runs.
 */
export class NetworkEvents {
  #waiting: NetworkReport[] = [];
  #take: ((report: NetworkReport) => void) | undefined;
  #closed: ActrError | undefined;

  /**
   * Tells of an event. Events of one settle window lead to one action; each report gets its own result.
   * @throws ActrError `timed_out` when there is no result in time, `overloaded` when too many wait, `stopping` when the node has stopped;
   * RangeError for a negative number.
   */
  report(event: NetworkEvent): Promise<NetworkResult> {
    checkNetworkEvent(event);
    const result = new Promise<NetworkResult>((resolve, reject) =>
      this.#put({ event, resolve, reject }),
    );
    result.catch(() => {}); // Who only reports need not look at what becomes of it.
    return result;
  }

  /** Hands over what has come and what will come. */
  attach(take: (report: NetworkReport) => void): void {
    this.#closed = undefined;
    this.#take = take;
    for (const report of this.#waiting.splice(0)) take(report);
  }

  /** Refuses what waits and what will come with `reason`, until a node is attached again. */
  close(reason: ActrError): void {
    this.#closed = reason;
    this.#take = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  #put(report: NetworkReport): void {
    if (this.#closed !== undefined) return report.reject(this.#closed);
    if (this.#take !== undefined) return this.#take(report);
    if (this.#waiting.length >= maxWaiting) return report.reject(tooMany(maxWaiting));
    this.#waiting.push(report);
  }
}

/** `overloaded`, for a report beyond `limit`. */
export function tooMany(limit: number): ActrError {
  return new ActrError("overloaded", `${limit} network events wait already; report fewer`, {
    retryAfterMs: 1_000,
  });
}
