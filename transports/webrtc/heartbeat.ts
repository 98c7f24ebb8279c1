import type { Clock } from "../../src/ports/clock.ts";
import type { Beat } from "./beat_chunk.ts";

/** Sweeps in the time that a peer may be silent; it is asked when half of them have passed. */
export const sweepsPerBeat = 4;
const askAfter = sweepsPerBeat / 2;
/** Silent sweeps after which a connection that still says that it is up is given up. */
const giveUpAfter = 5 * sweepsPerBeat;

/** What a {@link Heartbeat} works with. */
export interface HeartbeatParts {
  readonly clock: Clock;
  readonly send: (beat: Beat) => void;
  /** Bytes sent that the network has taken, while others wait behind them; undefined when none do. */
  readonly progress: () => number | undefined;
  /** The peer is silent, or is heard again. */
  readonly onAlive: (alive: boolean) => void;
  /** The peer has been silent for so long that nothing more is to be hoped for. */
  readonly onDead: () => void;
}

/**
 * Finds out whether the peer of a connection lives: stacks take 7 to 45 s to notice that one was killed. Whatever comes
 * is a sign of life, and so is a backlog that gets shorter; who brings neither is asked.
 */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #silentSweeps = 0;
  #alive = true;
  #number = 0;
  #askedAt: number | undefined;
  #progress: number | undefined;
  #rttMs: number | undefined;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  /** Whether the peer was heard within the last heartbeat. */
  get alive(): boolean {
    return this.#alive;
  }

  /** How long the last answer took, milliseconds. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** Something has come. */
  heard(): void {
    this.#silentSweeps = 0;
    if (!this.#alive) this.#tell(true);
  }

  /** A beat has come. */
  beat({ kind, number }: Beat): void {
    const { clock, send } = this.#parts;
    if (kind === "ask") return send({ kind: "answer", number });
    if (number !== this.#number || this.#askedAt === undefined) return;
    this.#rttMs = clock.monotonic() - this.#askedAt;
    this.#askedAt = undefined;
  }

  /** Asks whether the peer is there. */
  ask(): void {
    const { clock, send } = this.#parts;
    this.#number = (this.#number + 1) % 256;
    this.#askedAt = clock.monotonic();
    send({ kind: "ask", number: this.#number });
  }

  /** To be called {@link sweepsPerBeat} times per heartbeat. */
  sweep(): void {
    if (this.#advances()) return this.heard();
    const silent = ++this.#silentSweeps;
    if (silent >= giveUpAfter) return this.#parts.onDead();
    if (silent >= sweepsPerBeat && this.#alive) this.#tell(false);
    if (silent % askAfter === 0) this.ask();
  }

  #advances(): boolean {
    const before = this.#progress;
    this.#progress = this.#parts.progress();
    return before !== undefined && this.#progress !== undefined && this.#progress > before;
  }

  #tell(alive: boolean): void {
    this.#alive = alive;
    this.#parts.onAlive(alive);
  }
}
