import { abortable } from "#async";
import { ActrError } from "../errors.ts";
import { reconnectDelayMs } from "../identity/backoff.ts";
import type { IdentitySnapshot, SessionState } from "../identity/session_state.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { Sockets } from "../ports/sockets.ts";
import { withinLimit } from "../time_limit.ts";
import { AttemptGate } from "./attempt_gate.ts";
import { SignalingSocket } from "./signaling_socket.ts";

/** A connection that lived for less, milliseconds, counts as a failed attempt: a server that hangs up at once is not called at once. */
const stableMs = 5_000;
/** Shortest time from one attempt to the next that {@link SignalingConnection.wake} may cause, milliseconds. */
const wakeSpacingMs = 1_000;
/** Failed attempts after which a credential is doubted where the runtime hides why the server refused. */
const hiddenRefusalAttempts = 3;

/** What a connection works with. */
export interface ConnectionComponents {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly session: SessionState;
}

/** Where to connect, and bounds. */
export interface ConnectionOptions {
  /** The URL for an identity, credential included; asked at each attempt. */
  readonly url: (identity: IdentitySnapshot) => string;
  /** Limit of one attempt, milliseconds. */
  readonly connectLimitMs: number;
  /** Largest message accepted, bytes. */
  readonly maxMessageBytes: number;
}

/** What a connection tells its owner. */
export interface ConnectionHandler {
  /** An attempt begins; counts from 1 since the last connection that held. */
  connecting(attempt: number): void;
  connected(): void;
  disconnected(reason: string): void;
  /** An attempt failed, or a connection ended that nobody here ended. */
  failed(error: ActrError): void;
  message(data: Uint8Array): void;
  /** The server refused the credential of this identity at the upgrade. */
  refused(identity: IdentitySnapshot): void;
}

/** Keeps one socket to the signaling server open, for as long as it is started (`spec/protocol.md` §13). */
export class SignalingConnection {
  readonly #components: ConnectionComponents;
  readonly #options: ConnectionOptions;
  readonly #handler: ConnectionHandler;
  readonly #stopping = new AbortController();
  readonly #waiters = new Set<() => void>();
  readonly #gate = new AttemptGate();
  #running: Promise<void> | undefined;
  #socket: SignalingSocket | undefined;
  /** Ends the pause between two attempts. */
  #endPause: (() => void) | undefined;
  /** Attempts in a row without a connection that held. */
  #failures = 0;
  /** The next attempt is not to wait, whatever has just ended. */
  #urgent = false;
  #attemptedAt = Number.NEGATIVE_INFINITY;
  /** Whom the last attempt was made as. */
  #attemptedAs: IdentitySnapshot | undefined;
  /** Credentials that the server refused since it last accepted one. */
  #refusals = 0;
  #stopListening = (): void => {};

  constructor(
    components: ConnectionComponents,
    options: ConnectionOptions,
    handler: ConnectionHandler,
  ) {
    this.#components = components;
    this.#options = options;
    this.#handler = handler;
  }

  /** The open socket. */
  get socket(): SignalingSocket | undefined {
    return this.#socket;
  }

  /** Starts if it is not started, and waits until the socket is open. @throws ActrError `stopping` once closed; the signal's reason. */
  async connect({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    this.#start();
    if (this.#socket !== undefined) return;
    let arrived = (): void => {};
    const open = new Promise<void>((resolve) => {
      arrived = resolve;
      this.#waiters.add(arrived);
    });
    await abortable(open, signal).finally(() => this.#waiters.delete(arrived));
    this.#stopping.signal.throwIfAborted();
  }

  /** Ends a pause between attempts, unless the last attempt was less than 1 s ago. */
  wake(): void {
    if (this.#mayWake) this.#endPause?.();
  }

  get #mayWake(): boolean {
    return this.#components.clock.monotonic() - this.#attemptedAt >= wakeSpacingMs;
  }

  /** Attempts nothing until {@link SignalingConnection.attempt}; a connection that is open stays. */
  hold(): void {
    this.#gate.hold();
  }

  /** Closes the socket and stays away until {@link SignalingConnection.attempt}; resolves when it is closed. */
  async disconnect(reason: string): Promise<void> {
    this.hold();
    const socket = this.#socket;
    socket?.close(reason);
    await socket?.closed;
  }

  /**
   * Ends {@link SignalingConnection.hold} and connects now, the pauses between attempts starting over; nothing to do when connected.
   * @throws ActrError why the attempt failed (others follow by themselves); `stopping`; the signal's reason.
   */
  async attempt({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    this.#start();
    this.#gate.letGo();
    if (this.#socket !== undefined) return;
    const outcome = this.#gate.outcome(signal);
    this.#urgent = true;
    this.#failures = 0;
    if (this.#mayWake) this.#gate.giveUp();
    this.#endPause?.();
    await outcome;
  }

  /** Closes the socket, if one is open, and connects again at once. */
  reconnect(reason: string): void {
    this.#socket?.close(reason);
    this.wake();
  }

  /** Closes the socket and connects no more; resolves when nothing is left. Idempotent. */
  async close(): Promise<void> {
    const reason = new ActrError("stopping", "the signaling client is closed");
    this.#stopping.abort(reason);
    this.#stopListening();
    this.#gate.giveUp();
    this.#gate.letGo();
    this.#gate.tell(reason);
    this.#endPause?.();
    this.#socket?.close("stopping");
    for (const arrived of this.#waiters) arrived();
    await this.#running;
  }

  #start(): void {
    if (this.#running !== undefined) return;
    this.#stopListening = this.#components.session.listen(({ kind }) => {
      if (kind === "rebound") this.reconnect("new identity");
      if (this.#hasFreshCredential()) this.#endPause?.();
    });
    this.#running = this.#run(this.#stopping.signal);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const givenUp = this.#gate.begin();
      const socket = await this.#attempt(this.#failures + 1, givenUp);
      const held = socket !== undefined && (await this.#serve(socket));
      this.#failures = held || this.#urgent ? 0 : this.#failures + 1;
      if (!signal.aborted && !this.#hasFreshCredential()) await this.#pause(this.#failures);
      await this.#gate.opened;
    }
  }

  /** Whether the next attempt would show another credential; the second that is refused in a row waits like any failure. */
  #hasFreshCredential(): boolean {
    return (
      this.#refusals < 2 &&
      this.#attemptedAs?.credential !== this.#components.session.current.credential
    );
  }

  async #attempt(attempt: number, signal: AbortSignal): Promise<SignalingSocket | undefined> {
    const { clock, session } = this.#components;
    const identity = session.current;
    this.#urgent = false;
    this.#attemptedAt = clock.monotonic();
    this.#attemptedAs = identity;
    this.#handler.connecting(attempt);
    try {
      return await withinLimit(
        clock,
        { what: "the connection to signaling", ms: this.#options.connectLimitMs, signal },
        (inner) => this.#open(identity, inner),
      );
    } catch (error) {
      if (!signal.aborted) this.#failed(identity, ActrError.from(error), attempt);
      return undefined;
    }
  }

  async #open(identity: IdentitySnapshot, signal: AbortSignal): Promise<SignalingSocket> {
    const { sockets, clock, session } = this.#components;
    const { url, maxMessageBytes } = this.#options;
    const socket = await sockets.connect(url(identity), { maxMessageBytes, signal });
    if (signal.aborted || identity.generation !== session.current.generation) {
      socket.terminate();
      throw new ActrError("unavailable", "the connection was opened too late to be used");
    }
    return new SignalingSocket(clock, socket, (data) => this.#handler.message(data));
  }

  #failed(identity: IdentitySnapshot, error: ActrError, attempt: number): void {
    this.#components.log.warn("signaling.connect.failed", { attempt, reason: error.message });
    this.#handler.failed(error);
    this.#gate.tell(error);
    if (!this.#mayBeRefusal(error, attempt)) return;
    this.#refusals++;
    this.#handler.refused(identity);
  }

  /** Whether the credential is in doubt: after a 401, or the third failure in a row where the runtime hides the status. */
  #mayBeRefusal(error: ActrError, attempt: number): boolean {
    if (!this.#components.sockets.capabilities.status) return attempt >= hiddenRefusalAttempts;
    return error.code === "permission_denied" && error.details?.["status"] !== 403;
  }

  /** Returns whether the connection held long enough for the next attempt to be made at once. */
  async #serve(socket: SignalingSocket): Promise<boolean> {
    const { clock, session } = this.#components;
    const since = clock.monotonic();
    this.#refusals = 0;
    this.#socket = socket;
    session.reached();
    this.#handler.connected();
    for (const arrived of this.#waiters) arrived();
    this.#gate.tell();
    const reason = await socket.closed;
    this.#socket = undefined;
    this.#handler.disconnected(reason);
    if (!socket.closing) {
      this.#handler.failed(new ActrError("unavailable", `signaling was lost: ${reason}`));
    }
    return clock.monotonic() - since >= stableMs;
  }

  async #pause(failures: number): Promise<void> {
    const { clock, random } = this.#components;
    const delayMs = reconnectDelayMs(failures, random);
    if (delayMs === 0) return;
    const pause = new AbortController();
    this.#endPause = () => pause.abort();
    await clock.sleep(delayMs, { signal: pause.signal }).catch(() => {}); // Woken early.
    this.#endPause = undefined;
  }
}
