import type { TurnKind } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Random } from "../../ports/random.ts";
import type { Expiring } from "../../session/deadlines.ts";
import type { Output } from "../output_gate.ts";
import type { CallChain } from "./chain.ts";
import type { ActionCommand } from "./command.ts";
import type { Turn } from "./turns.ts";

/** What a turn asks of the instance that it runs in. */
export interface TurnSeat {
  /** Calls the action's handler. */
  run(turn: ActionTurn): unknown;
  /** It has ended; its answer leaves when this instance lets it. */
  ended(turn: ActionTurn): void;
  /** Its handler goes on after the turn of the event loop in which it began. */
  goesOn(): void;
  /** Its time was up before its turn came: now it has come. */
  skipped(turn: ActionTurn): void;
  /** Who waits for it is told what it came to. */
  answered(turn: ActionTurn, failure: ActrError | undefined): void;
  /** Its deadline has passed, and it goes on. */
  late(turn: ActionTurn): void;
}

/** One action, from its arrival until its answer. */
export class ActionTurn implements Turn, Output, Expiring {
  readonly command: ActionCommand;
  readonly kind: TurnKind;
  /** Where its deadline is watched. */
  bucket = 0;
  readonly #seat: TurnSeat;
  #begun = false;
  #name: string | undefined;
  #done = false;
  #answered = false;
  /** What hands the answer over; none for a failure. */
  #hand: (() => void) | undefined;
  #failure: ActrError | undefined;
  #abort: AbortController | undefined;
  #signal: AbortSignal | undefined;

  constructor(command: ActionCommand, kind: TurnKind, seat: TurnSeat) {
    this.command = command;
    this.kind = kind;
    this.#seat = seat;
  }

  /** Whether its handler has ended. */
  get done(): boolean {
    return this.#done;
  }

  /** Why it failed, once it has ended. */
  get failure(): ActrError | undefined {
    return this.#failure;
  }

  get name(): string | undefined {
    return this.#name;
  }

  /** Who waits for what its handler calls: itself, and who waits for it. */
  chain(random: Random): CallChain {
    this.#name ??= random.uuid();
    return [...(this.command.chain ?? []), this.#name];
  }

  /** Aborted at its deadline, or with `parent`; made when it is first asked for. */
  signalWith(parent: AbortSignal): AbortSignal {
    this.#abort ??= new AbortController();
    this.#signal ??= AbortSignal.any([this.#abort.signal, parent]);
    return this.#signal;
  }

  begin(): void {
    if (this.#answered) return this.#seat.skipped(this);
    this.#begun = true;
    this.command.begins?.();
    let output: unknown;
    try {
      output = this.#seat.run(this);
    } catch (error) {
      return this.#fail(error);
    }
    if (!isThenable(output)) return this.#succeed(output);
    this.command.goesOn?.();
    this.#seat.goesOn();
    output.then(
      (value) => this.#succeed(value),
      (error: unknown) => this.#fail(error),
    );
  }

  refuse(error: ActrError): void {
    const failure = asRefusal(error);
    this.#reply(failure, () => this.command.answer.fail(failure));
  }

  expire(): void {
    const { name } = this.command;
    const message = `action ${name} is not answered within its time: ${this.#stage}`;
    const error = new ActrError("actor.action_timed_out", message);
    this.#abort?.abort(error);
    this.refuse(error);
    if (this.#begun && !this.#done) this.#seat.late(this);
  }

  /** Hands the answer over. */
  emit(): void {
    const { answer } = this.command;
    this.#reply(this.#failure, () => {
      if (this.#failure !== undefined) answer.fail(this.#failure);
      else this.#hand?.();
    });
  }

  drop(error: ActrError): void {
    this.refuse(error);
  }

  /** How far it has come. */
  get #stage(): string {
    if (this.#done) return "what it changed could not be saved";
    return this.#begun ? "it has not ended" : "others have their turns before it";
  }

  #succeed(output: unknown): void {
    try {
      this.#hand = this.command.answer.take(output);
    } catch (error) {
      return this.#fail(error);
    }
    this.#end();
  }

  #fail(error: unknown): void {
    this.#failure = ActrError.from(error);
    this.#end();
  }

  #end(): void {
    this.#done = true;
    this.command.settle?.(this.#failure);
    this.#seat.ended(this);
  }

  /** Who waits is told once. */
  #reply(failure: ActrError | undefined, tell: () => void): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#seat.answered(this, failure);
    tell();
  }
}

/** What a caller is told of an actor that was dropped: where its changes could not be written, to try again. */
export function asRefusal(error: ActrError): ActrError {
  if (error.code !== "storage" && error.code !== "lease_lost") return error;
  const message = "what this actor changed could not be saved; it starts anew from what is on disk";
  return new ActrError("actor.restarting", message, { cause: error, retryAfterMs: 100 });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}
