import { ActrError } from "../../errors.ts";
import { TurnContext } from "../actor_context.ts";
import type { Instance } from "../instance.ts";
import { commandHandled, commandStep } from "../steps.ts";
import { ActionTurn, type TurnSeat } from "./action_turn.ts";
import type { ActionCommand } from "./command.ts";
import { Turns } from "./turns.ts";

/** The actions of one actor: each in its turn, within its time, saved before it is answered. */
export class Actions implements TurnSeat {
  readonly turns: Turns;
  readonly #instance: Instance;

  constructor(instance: Instance) {
    this.#instance = instance;
    this.turns = new Turns(instance.kind.options.maxInbox);
  }

  /** Those that go on or wait for their turn. */
  get count(): number {
    return this.turns.running + this.turns.waiting;
  }

  /** Runs an action, in its turn. @param arrivedAt when it reached the node, of the clock's monotonic time. */
  act(command: ActionCommand, arrivedAt: number): void {
    const { definition, options } = this.#instance.kind;
    if (command.handler === undefined && !Object.hasOwn(definition.actions, command.name)) {
      const message = `Action \`${command.name}\` was not found.`;
      return this.refuse(command, new ActrError("actor.action_not_found", message));
    }
    const { turn: kind = "exclusive", timeoutMs = options.actionTimeoutMs } =
      definition.actionOptions?.[command.name] ?? {};
    const turn = new ActionTurn(command, kind, this);
    turn.bucket = this.#instance.components.deadlines.add(turn, arrivedAt + timeoutMs);
    commandStep(this.#instance, "actor.event_enqueued", command);
    const holder = command.chain && this.turns.holderAmong(command.chain);
    if (holder === undefined) return this.turns.enter(turn);
    if (holder.kind === "read" && turn.kind === "exclusive") return turn.refuse(deadlock(command));
    this.turns.nest(turn);
  }

  /** Answers a command that gets no turn. */
  refuse(command: ActionCommand, error: ActrError): void {
    commandHandled(this.#instance, command, error);
    command.answer.fail(error);
  }

  run(turn: ActionTurn): unknown {
    const { command } = turn;
    const { kind, saving, watch } = this.#instance;
    commandStep(this.#instance, "actor.event_drained", command);
    watch?.trace.begins(turn);
    const { actions, onBeforeActionResponse } = kind.definition;
    const action = command.handler ?? actions[command.name];
    const c = new TurnContext(this.#instance, turn);
    const output = saving.within(() => action?.(c, ...command.args));
    if (onBeforeActionResponse === undefined || command.handler !== undefined) return output;
    return Promise.resolve(output).then((value) =>
      onBeforeActionResponse(c, command.name, command.args, value),
    );
  }

  /** A handler has returned a promise: what it changed so far is saved if it takes long. */
  goesOn(): void {
    this.#instance.saving.watch();
  }

  /** What it changed is committed, and its answer leaves after that. */
  ended(turn: ActionTurn): void {
    const { saving, gate, watch } = this.#instance;
    watch?.trace.ends(turn);
    if (turn.failure !== undefined) this.#failed(turn);
    saving.save();
    gate.put(turn);
    this.skipped(turn);
  }

  skipped(turn: ActionTurn): void {
    this.turns.ended(turn);
    this.#instance.activity();
  }

  /** Until then it has its deadline: what it changed may wait for a store that fails. */
  answered(turn: ActionTurn, failure: ActrError | undefined): void {
    commandHandled(this.#instance, turn.command, failure);
    this.#instance.components.deadlines.remove(turn, turn.bucket);
  }

  /** A handler that goes on after its deadline keeps its turn for the grace of a stop; then all that is in memory is dropped. */
  late(turn: ActionTurn): void {
    const { state, components, kind, log } = this.#instance;
    if (state === "terminated") return;
    const { clock } = components;
    log.warn("actor.action_timed_out", { action: turn.command.name });
    clock.timer(clock.now() + kind.options.sleepGraceMs, () => {
      if (turn.done || this.#instance.state === "terminated") return;
      const message = `action ${turn.command.name} never ended; the actor starts anew`;
      this.#instance.fail(new ActrError("actor.action_timed_out", message));
    });
  }

  #failed({ command, failure }: ActionTurn): void {
    // What a caller did wrong is the caller's to know.
    if (failure?.kind === "client") return;
    this.#instance.report(failure, command.fire === undefined ? "action" : "schedule");
  }
}

/** A read that waits for a change of what it reads would see it change. */
function deadlock({ name }: ActionCommand): ActrError {
  const message = `action ${name} is called back from a read of the same actor; declare it a read, or the caller exclusive`;
  return new ActrError("actor.deadlock", message);
}
