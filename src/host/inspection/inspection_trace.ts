import { Deque } from "../../deque.ts";
import type { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { toHex } from "../../protocol/bytes.ts";
import type { ActionCommand } from "../turns/command.ts";

/** One turn that has ended. Times are Unix milliseconds. */
export interface TracedTurn {
  /** 16 bytes, hexadecimal. */
  readonly traceId: string;
  /** 8 bytes, hexadecimal. */
  readonly spanId: string;
  readonly action: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** The client that called; undefined for any other caller. */
  readonly connectionId: string | undefined;
  /** The schedule that it was a run of. */
  readonly scheduleId: string | undefined;
  readonly errorCode: string | undefined;
}

/** Which turns are asked for. */
export interface TraceQuery {
  readonly startMs: number;
  readonly endMs: number;
  readonly limit: number;
}

/** Turns of a time. */
export interface TracePage {
  /** By their end. */
  readonly turns: readonly TracedTurn[];
  /** Whether there were more: the oldest are left out. */
  readonly clamped: boolean;
}

/** A turn, as the instance has it. */
interface RunningTurn {
  readonly command: ActionCommand;
  readonly failure: ActrError | undefined;
}

/** Turns that are remembered of one actor. */
const maxTurns = 256;

/** The last turns of one actor, from when somebody looks at it. */
export class TurnTrace {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #starts = new WeakMap<RunningTurn, number>();
  readonly #turns = new Deque<TracedTurn>();
  #forgot = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  begins(turn: RunningTurn): void {
    this.#starts.set(turn, this.#clock.now());
  }

  /** A turn that began before anybody looked is left out. */
  ends(turn: RunningTurn): void {
    const startedAt = this.#starts.get(turn);
    if (startedAt === undefined) return;
    const { name, conn, fire } = turn.command;
    this.#turns.push({
      traceId: toHex(this.#random.bytes(16)),
      spanId: toHex(this.#random.bytes(8)),
      action: name,
      startedAt,
      endedAt: this.#clock.now(),
      connectionId: conn?.id,
      scheduleId: fire?.scheduleId,
      errorCode: turn.failure?.code,
    });
    if (this.#turns.size <= maxTurns) return;
    this.#turns.shift();
    this.#forgot = true;
  }

  /** Turns that went on in a time, the latest of them. */
  find({ startMs, endMs, limit }: TraceQuery): TracePage {
    const all = [...this.#turns].filter(
      ({ startedAt, endedAt }) => endedAt >= startMs && startedAt <= endMs,
    );
    return { turns: all.slice(-limit), clamped: this.#forgot || all.length > limit };
  }
}
