import { ActrError } from "../../errors.ts";
import type { Timer } from "../../ports/clock.ts";
import type { Instance } from "../instance.ts";
import type { CallChain } from "../turns/chain.ts";
import type { Turn } from "../turns/turns.ts";
import { Draft } from "./draft.ts";
import { BesideContext, ExclusiveContext, type Try } from "./step_context.ts";

/** How one try of a step runs. */
export interface AttemptPlan {
  readonly name: string;
  readonly turn: "exclusive" | "interleaved";
  /** Milliseconds; 0 for no end. */
  readonly timeoutMs: number;
  /** Aborted when nothing of it counts any more. */
  readonly signal: AbortSignal;
  /** It has its turn: says which try it is. */
  begins(): Try;
  /** Whether it may begin only when it is on disk that it does. */
  readonly isSuspect: boolean;
  run(c: never): unknown;
  /** Its code goes on after the turn of the event loop in which it began. */
  goesOn(): void;
  /** Notes what it came to, in one commit with what the step has changed. @throws what it then has failed with. */
  done(output: unknown): void;
  /** Also after `done`, where what the step has changed cannot be. */
  failed(error: unknown): void;
  /** It counts no more, or the actor stops: whatever its code still does changes nothing. */
  abandoned(): void;
  /** Its turn is over. */
  ended(): void;
}

/** One try of a step, in its turn. */
export class Attempt implements Turn {
  readonly kind: "exclusive" | "interleaved";
  readonly #instance: Instance;
  readonly #plan: AttemptPlan;
  readonly #draft: Draft;
  readonly #abort = new AbortController();
  #signal: AbortSignal | undefined;
  #name: string | undefined;
  #timer: Timer | undefined;
  #begun = false;
  #over = false;

  constructor(instance: Instance, plan: AttemptPlan) {
    this.#instance = instance;
    this.#plan = plan;
    this.kind = plan.turn;
    this.#draft = new Draft(instance);
  }

  /** Ends with its time, with what it is part of, or with the actor; made when it is first asked for. */
  get signal(): AbortSignal {
    const { stopping } = this.#instance;
    this.#signal ??= AbortSignal.any([this.#abort.signal, this.#plan.signal, stopping]);
    return this.#signal;
  }

  get name(): string | undefined {
    return this.#name;
  }

  /** Who waits for what it calls. */
  get chain(): CallChain {
    this.#name ??= this.#instance.components.random.uuid();
    return [this.#name];
  }

  /** Waits for its turn. */
  enter(): void {
    this.#plan.signal.addEventListener("abort", this.#cancelled);
    this.#instance.actions.turns.enter(this);
  }

  begin(): void {
    this.#begun = true;
    // Cancelled while it waited.
    if (this.#over) return this.#leave();
    if (this.#instance.stopping.aborted) return this.#cancelled();
    const each = this.#plan.begins();
    if (!this.#plan.isSuspect) return this.#run(each);
    const { gate, saving } = this.#instance;
    saving.save();
    gate.flushed().then(
      () => this.#run(each),
      () => {},
    );
  }

  refuse(error: ActrError): void {
    if (error.code === "actor.overloaded") this.#end(() => this.#plan.failed(error));
    else this.#end(() => this.#plan.abandoned());
  }

  readonly #cancelled = (): void => this.#end(() => this.#plan.abandoned());

  #run(each: Try): void {
    if (this.#over) return;
    let output: unknown;
    try {
      output = this.#plan.run(this.#context(each) as never);
    } catch (error) {
      return this.#fail(error);
    }
    if (!isThenable(output)) return this.#succeed(output);
    this.#plan.goesOn();
    this.#arm();
    output.then(
      (value) => this.#succeed(value),
      (error: unknown) => this.#fail(error),
    );
  }

  #context(each: Try): ExclusiveContext | BesideContext {
    if (this.kind === "interleaved") return new BesideContext(this.#instance, this, each);
    return new ExclusiveContext(this.#instance, this, each, this.#draft);
  }

  #arm(): void {
    const { timeoutMs, name } = this.#plan;
    if (timeoutMs === 0) return;
    const { clock } = this.#instance.components;
    this.#timer = clock.timer(clock.now() + timeoutMs, () => {
      const message = `step ${name} took longer than ${timeoutMs} ms`;
      const error = new ActrError("workflow.step_timed_out", message);
      this.#abort.abort(error);
      this.#fail(error);
    });
  }

  #succeed(output: unknown): void {
    this.#end(() => {
      try {
        // Both are of one commit: where the draft cannot be applied, the failure takes the place of what was noted.
        this.#plan.done(output);
        this.#draft.apply();
      } catch (error) {
        this.#plan.failed(error);
      }
    });
  }

  #fail(error: unknown): void {
    const { aborted } = this.#instance.stopping;
    this.#end(() => (aborted ? this.#plan.abandoned() : this.#plan.failed(error)));
  }

  /** Once. */
  #end(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#plan.signal.removeEventListener("abort", this.#cancelled);
    tell();
    this.#draft.close();
    this.#instance.saving.save();
    if (this.#begun) this.#leave();
    this.#plan.ended();
  }

  #leave(): void {
    this.#instance.actions.turns.ended(this);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
