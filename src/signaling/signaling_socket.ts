import type { Clock, Timer } from "../ports/clock.ts";
import type { Socket } from "../ports/sockets.ts";

/** How often the socket is probed, milliseconds (`spec/protocol.md` §13). */
export const probeMs = 5_000;
/** Probes without any sign of life after which the connection counts as lost: 10 s of silence. */
const silentProbes = 2;
/** How long the closing handshake may take, milliseconds. */
const closeMs = 1_000;

/** One open signaling connection, probed so that a silent loss is noticed within 15 s. */
export class SignalingSocket {
  /** Resolves with the reason when the connection is gone; never rejects. */
  readonly closed: Promise<string>;
  readonly #clock: Clock;
  readonly #socket: Socket;
  #end: (reason: string) => void = () => {};
  #timer: Timer;
  #silent = 0;
  #closing = false;

  /** Must be made in the turn in which the socket was handed over. */
  constructor(clock: Clock, socket: Socket, onMessage: (data: Uint8Array) => void) {
    this.#clock = clock;
    this.#socket = socket;
    this.#timer = this.#arm();
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    socket.handle({
      message: (data) => {
        this.#silent = 0;
        onMessage(data);
      },
      pong: () => {
        this.#silent = 0;
      },
      closed: ({ code, reason }) => this.#ended(`closed with ${code} ${reason}`.trim()),
    });
  }

  /** Whether this side has asked for the end. */
  get closing(): boolean {
    return this.#closing;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: Uint8Array): void {
    this.#socket.send(data);
  }

  /** Ends the connection politely: what was sent still leaves. A server that does not take leave within 1 s is left. */
  close(reason: string): void {
    this.#closing = true;
    this.#timer.cancel();
    this.#timer = this.#clock.timer(this.#clock.now() + closeMs, () => this.#lose(reason));
    this.#socket.close(1000, reason);
  }

  #arm(): Timer {
    return this.#clock.timer(this.#clock.now() + probeMs, () => this.#probe());
  }

  #probe(): void {
    if (this.#silent >= silentProbes) {
      this.#lose("nothing was heard for 10 s");
      return;
    }
    // A runtime that cannot ping watches the connection itself: then silence means nothing.
    if (this.#socket.ping()) this.#silent++;
    this.#timer = this.#arm();
  }

  #lose(reason: string): void {
    this.#ended(reason);
    this.#socket.terminate();
  }

  #ended(reason: string): void {
    this.#timer.cancel();
    this.#end(reason);
  }
}
