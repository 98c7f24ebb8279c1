import type { TurnKind } from "../../actor.ts";
import { Deque } from "../../deque.ts";
import { ActrError } from "../../errors.ts";
import type { CallChain } from "./chain.ts";

/** Something that waits for its turn; `begin` is called once, and {@link Turns.ended} when it has ended. */
export interface Turn {
  readonly kind: TurnKind;
  /** Under which others know of it; none as long as it calls nobody. */
  readonly name?: string | undefined;
  begin(): void;
  /** Nobody waits for it any more: it will not begin, or is no longer waited for. */
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
  // Most actors have none of these.
  #reads: Set<Turn> | undefined;
  /** Those that began whatever else went on, nested ones among them. */
  #interleaved: Set<Turn> | undefined;
  /** Turns that end at once begin their followers one after the other, not one within the other. */
  #advancing = false;

  /** @param capacity turns that may wait, and that may go on beside each other; further ones are refused. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Turns that go on. */
  get running(): number {
    return (this.#exclusive === undefined ? 0 : 1) + this.#beside;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The turn of `chain` that goes on and keeps others from beginning. */
  holderAmong(chain: CallChain): Turn | undefined {
    if (isAmong(chain, this.#exclusive)) return this.#exclusive;
    for (const turn of this.#reads ?? []) if (isAmong(chain, turn)) return turn;
    return undefined;
  }

  /** Begins a turn, or has it wait for its own; refuses it when too many wait. */
  enter(turn: Turn): void {
    const overtakes = turn.kind === "interleaved" || this.#waiting.size === 0;
    if (this.#open && overtakes && this.#mayRun(turn)) return this.#begin(turn);
    if (this.#waiting.size >= this.#capacity) return turn.refuse(overloaded(this.#waiting.size));
    this.#waiting.push(turn);
  }

  /** Begins a turn in the middle of one that waits for it. */
  nest(turn: Turn): void {
    this.#addInterleaved(turn);
    turn.begin();
  }

  /** A turn that began has ended. */
  ended(turn: Turn): void {
    if (this.#exclusive === turn) this.#exclusive = undefined;
    else if (this.#reads?.delete(turn) !== true) this.#interleaved?.delete(turn);
    this.#advance();
  }

  /** Lets turns begin. */
  open(): void {
    this.#open = true;
    this.#advance();
  }

  /** Refuses every turn, those that go on too; none begins any more. */
  close(error: ActrError): void {
    this.#open = false;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      next.refuse(error);
    }
    this.#exclusive?.refuse(error);
    for (const turn of this.#reads ?? []) turn.refuse(error);
    for (const turn of this.#interleaved ?? []) turn.refuse(error);
  }

  /** Turns that go on beside others. */
  get #beside(): number {
    return (this.#reads?.size ?? 0) + (this.#interleaved?.size ?? 0);
  }

  #mayRun({ kind }: Turn): boolean {
    if (kind === "exclusive") return this.#exclusive === undefined && !this.#reads?.size;
    if (this.#beside >= this.#capacity) return false;
    return kind === "interleaved" || this.#exclusive === undefined;
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
    else if (turn.kind === "read") {
      this.#reads ??= new Set();
      this.#reads.add(turn);
    } else this.#addInterleaved(turn);
    turn.begin();
  }

  #addInterleaved(turn: Turn): void {
    this.#interleaved ??= new Set();
    this.#interleaved.add(turn);
  }
}

function isAmong(chain: CallChain, turn: Turn | undefined): boolean {
  return turn?.name !== undefined && chain.includes(turn.name);
}

function overloaded(waiting: number): ActrError {
  const message = `${waiting} commands wait for this actor; send again later`;
  return new ActrError("actor.overloaded", message, {
    retryAfterMs: 100,
    details: { channel: "inbox", capacity: waiting },
  });
}
