import type { TurnKind } from "../actor.ts";
import { Deque } from "../deque.ts";
import { ActrError } from "../errors.ts";

/** Something that waits for its turn; `begin` is called once, and {@link Turns.ended} when it has ended. */
export interface Turn {
  readonly kind: TurnKind;
  begin(): void;
  /** It will not begin. */
  refuse(error: ActrError): void;
}

/**
 * Who may go on at once in one actor: an exclusive turn alone, reads beside each other, in the order of their arrival;
 * an interleaved turn whenever it comes. Nothing begins before {@link Turns.open}.
 */
export class Turns {
  readonly #capacity: number;
  readonly #waiting = new Deque<Turn>();
  #open = false;
  #exclusive: Turn | undefined;
  #reads = 0;
  #interleaved = 0;
  /** Turns that end at once begin their followers one after the other, not one within the other. */
  #advancing = false;

  /** @param capacity turns that may wait; further ones are refused. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Turns that go on. */
  get running(): number {
    return (this.#exclusive === undefined ? 0 : 1) + this.#reads + this.#interleaved;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The exclusive turn that goes on, if one does. */
  get exclusive(): Turn | undefined {
    return this.#exclusive;
  }

  /** Begins a turn, or has it wait for its own; refuses it when too many wait. */
  enter(turn: Turn): void {
    if (this.#open && (turn.kind === "interleaved" || this.#isFree(turn))) return this.#begin(turn);
    if (this.#waiting.size >= this.#capacity) return turn.refuse(overloaded(this.#waiting.size));
    this.#waiting.push(turn);
  }

  /** Begins a turn in the middle of the exclusive one, which waits for it. */
  nest(turn: Turn): void {
    this.#interleaved += 1;
    turn.begin();
  }

  /** A turn that began has ended; `nested` when it began by {@link Turns.nest}. */
  ended(turn: Turn, nested = false): void {
    if (this.#exclusive === turn) this.#exclusive = undefined;
    else if (nested || turn.kind === "interleaved") this.#interleaved -= 1;
    else this.#reads -= 1;
    this.#advance();
  }

  /** Lets turns begin. */
  open(): void {
    this.#open = true;
    this.#advance();
  }

  /** Takes out every turn that has not begun. */
  clear(): Turn[] {
    const turns: Turn[] = [];
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      turns.push(next);
    }
    return turns;
  }

  #isFree(turn: Turn): boolean {
    return this.#waiting.size === 0 && this.#mayRun(turn);
  }

  #mayRun({ kind }: Turn): boolean {
    if (kind === "interleaved") return true;
    return this.#exclusive === undefined && (kind === "read" || this.#reads === 0);
  }

  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      if (!this.#open || !this.#mayRun(next)) break;
      this.#waiting.shift();
      this.#begin(next);
    }
    this.#advancing = false;
  }

  #begin(turn: Turn): void {
    if (turn.kind === "exclusive") this.#exclusive = turn;
    else if (turn.kind === "read") this.#reads += 1;
    else this.#interleaved += 1;
    turn.begin();
  }
}

function overloaded(waiting: number): ActrError {
  const message = `${waiting} commands wait for this actor; send again later`;
  return new ActrError("actor.overloaded", message, {
    retryAfterMs: 100,
    details: { channel: "inbox", capacity: waiting },
  });
}
