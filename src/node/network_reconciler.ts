import { ActrError } from "../errors.ts";
import type { NetworkOptions } from "../options.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Barrier } from "../session/barrier.ts";
import { withinLimit } from "../time_limit.ts";
import type { NetworkActions } from "./network_actions.ts";
import {
  changesConnections,
  isLongForeground,
  type NetworkAction,
  reduceNetworkEvents,
} from "./network_event.ts";
import { type NetworkReport, tooMany } from "./network_events.ts";

/** Limit of one action, milliseconds: with the settle window it fits into the wait for a result. */
const actionMs = 4_000;

const enqueueFailed = "network_event.handle.enqueue_failed";
const resultFailed = "network_event.handle.result_failed";

/** Collaborators of {@link NetworkReconciler}. */
export interface ReconcilerComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly barrier: Pick<Barrier, "raise">;
  readonly actions: Pick<NetworkActions, "hold" | "run">;
}

interface Waiting extends NetworkReport {
  readonly since: number;
  readonly timeout: Timer;
}

/** Gathers network events for a settle window and answers each batch with one action (`spec/node.md` §16). */
export class NetworkReconciler {
  readonly #components: ReconcilerComponents;
  readonly #options: NetworkOptions;
  readonly #closed = new AbortController();
  #batch: Waiting[] = [];
  /** Lowers the barrier that the batch has raised. */
  #lower: (() => void) | undefined;
  #window: Timer | undefined;
  #running: Promise<void> | undefined;

  constructor(components: ReconcilerComponents, options: NetworkOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Takes a report; its result comes within the options' time, or an error. */
  take(report: NetworkReport): void {
    const { clock, log, actions, barrier } = this.#components;
    const { resultTimeoutMs, maxEvents } = this.#options;
    if (this.#closed.signal.aborted)
      return this.#reject(enqueueFailed, report, this.#closed.signal.reason);
    if (this.#batch.length >= maxEvents)
      return this.#reject(enqueueFailed, report, tooMany(maxEvents));
    log.debug("network_event.handle.enqueue", { kind: report.event.kind });
    const late = (): void =>
      this.#reject(
        resultFailed,
        report,
        new ActrError("timed_out", `no result after ${resultTimeoutMs} ms`),
      );
    const timeout = clock.timer(clock.now() + resultTimeoutMs, late);
    this.#batch.push({ ...report, since: clock.monotonic(), timeout });
    if (changesConnections(report.event)) this.#lower ??= barrier.raise();
    if (isLongForeground(report.event)) actions.hold();
    if (this.#running === undefined) this.#openWindow();
  }

  /** Refuses what waits with `reason` and ends the action that runs. Idempotent. */
  async close(reason: ActrError): Promise<void> {
    this.#closed.abort(reason);
    this.#window?.cancel();
    for (const waiting of this.#batch.splice(0)) {
      waiting.timeout.cancel();
      this.#reject(resultFailed, waiting, reason);
    }
    this.#lower?.();
    await this.#running;
  }

  #reject(title: string, { event, reject }: NetworkReport, error: ActrError): void {
    const { log } = this.#components;
    const { code: error_code, message: reason } = error;
    log.warn(title, { kind: event.kind, error_code, reason });
    reject(error);
  }

  #openWindow(): void {
    const { clock } = this.#components;
    this.#window ??= clock.timer(clock.now() + this.#options.settleMs, () => {
      this.#window = undefined;
      this.#running = this.#settle().finally(() => {
        this.#running = undefined;
        if (this.#batch.length > 0) this.#openWindow();
      });
    });
  }

  async #settle(): Promise<void> {
    const batch = this.#batch.splice(0);
    const lower = this.#lower;
    this.#lower = undefined;
    const action = reduceNetworkEvents(batch.map(({ event }) => event));
    this.#components.log.debug("network_event.reconciler.reduced", {
      events: batch.length,
      action,
    });
    const error = await this.#run(action);
    lower?.();
    for (const each of batch) this.#answer(each, action, error);
  }

  /** The action's failure, if it failed. */
  async #run(action: NetworkAction): Promise<ActrError | undefined> {
    const { clock, log, actions } = this.#components;
    const limit = { what: `network action ${action}`, ms: actionMs, signal: this.#closed.signal };
    const since = clock.monotonic();
    log.debug("network_event.action.start", { action });
    let error: ActrError | undefined;
    try {
      await withinLimit(clock, limit, (signal) => actions.run(action, signal));
    } catch (cause) {
      error = ActrError.from(cause);
    }
    const failure = error === undefined ? {} : { error_code: error.code, reason: error.message };
    const fields = { action, duration_ms: clock.monotonic() - since, ...failure };
    log[error === undefined ? "info" : "warn"]("network_event.action.completed", fields);
    return error;
  }

  #answer(waiting: Waiting, action: NetworkAction, error: ActrError | undefined): void {
    const { event, since, timeout, resolve } = waiting;
    timeout.cancel();
    const { clock, log } = this.#components;
    const durationMs = clock.monotonic() - since;
    const fields = { kind: event.kind, action, duration_ms: durationMs };
    log.debug("network_event.handle.result_received", fields);
    const failure = error === undefined ? {} : { error };
    resolve({ event, action, success: error === undefined, ...failure, durationMs });
  }
}
