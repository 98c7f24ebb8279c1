import { ActrError } from "../errors.ts";
import type { SessionState } from "../identity/session_state.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { CredentialWatch } from "./credential_watch.ts";
import { type NodeLoad, reportLoad } from "./node_load.ts";
import type { SignalingClient } from "./signaling_client.ts";

/** Bounds of an interval that the server suggests, milliseconds. */
const shortestMs = 1_000;
const longestMs = 300_000;
/** Shortest wait for an answer, milliseconds. */
const shortestWaitMs = 1_000;
/** One failure in so many is logged as a warning, the first included. */
const failuresPerWarning = 12;

/** What a heartbeat works with. */
export interface HeartbeatComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly session: SessionState;
  readonly signaling: SignalingClient;
  readonly credentials: CredentialWatch;
  /** The load to report; what it throws counts as unknown. */
  readonly load: () => NodeLoad;
}

/** Tells the signaling server, again and again, that the node lives and how busy it is (`spec/node.md` §15.1, D-46). */
export class Heartbeat {
  readonly #components: HeartbeatComponents;
  readonly #closed = new AbortController();
  #stopListening = (): void => {};
  #timer: Timer | undefined;
  #suggestedMs: number | undefined;
  #failures = 0;

  constructor(components: HeartbeatComponents) {
    this.#components = components;
  }

  /** Beats at each connection, at once if there is one now, and then at every interval. */
  start(): void {
    const { signaling } = this.#components;
    this.#stopListening = signaling.listen({ connected: () => this.#onConnected() });
    this.#tick();
  }

  /** Whether the server answers a beat within `limitMs`, be it with an error. */
  async probe(limitMs: number): Promise<boolean> {
    try {
      await this.#ping(limitMs);
      return true;
    } catch (error) {
      return ActrError.from(error).details?.["code"] !== undefined;
    }
  }

  /** Beats no more. Idempotent. */
  close(): void {
    this.#closed.abort(new ActrError("stopping", "the heartbeat is closed"));
    this.#stopListening();
    this.#timer?.cancel();
  }

  #onConnected(): void {
    this.#suggestedMs = undefined;
    this.#tick();
  }

  get #intervalMs(): number {
    return this.#suggestedMs ?? this.#components.session.current.heartbeatIntervalMs;
  }

  #tick(): void {
    const { signaling } = this.#components;
    this.#arm();
    // The connection beats as soon as it is there.
    if (!signaling.connected) signaling.wake();
    else void this.#beat();
  }

  /** From now, not from when the last tick was due: what a stalled process missed is not made up for. */
  #arm(): void {
    const { clock } = this.#components;
    this.#timer?.cancel();
    this.#timer = clock.timer(clock.now() + this.#intervalMs, () => this.#tick());
  }

  async #beat(): Promise<void> {
    try {
      await this.#ping(Math.max(shortestWaitMs, 0.4 * this.#intervalMs));
      this.#succeeded();
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#failed(ActrError.from(error));
    }
  }

  async #ping(limitMs: number): Promise<void> {
    const { signaling, credentials } = this.#components;
    const { suggestedIntervalMs, warning } = await signaling.ping(this.#report(), {
      limitMs,
      signal: this.#closed.signal,
    });
    if (suggestedIntervalMs !== undefined) this.#follow(suggestedIntervalMs);
    if (warning !== undefined) credentials.warned();
  }

  #follow(suggestedMs: number): void {
    const before = this.#intervalMs;
    this.#suggestedMs = Math.min(longestMs, Math.max(shortestMs, suggestedMs));
    if (this.#intervalMs !== before) this.#arm();
  }

  #report(): ReturnType<typeof reportLoad> {
    try {
      return reportLoad(this.#components.load());
    } catch (error) {
      this.#components.log.debug("signaling.heartbeat.load_unknown", { error });
      return reportLoad(undefined);
    }
  }

  #succeeded(): void {
    if (this.#failures > 0) {
      this.#components.log.info("signaling.heartbeat.recovered", { failures: this.#failures });
    }
    this.#failures = 0;
  }

  #failed(error: ActrError): void {
    const level = this.#failures % failuresPerWarning === 0 ? "warn" : "debug";
    this.#failures++;
    this.#components.log[level]("signaling.heartbeat.failed", {
      failures: this.#failures,
      reason: error.message,
    });
  }
}
