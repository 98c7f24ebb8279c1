import type { Clock } from "../../../ports/clock.ts";
import type {
  EntryOutcome,
  GuestEntry,
  GuestLimits,
  HostAnswer,
  HostCall,
  HostCalls,
} from "../../../ports/guest_host.ts";
import type { Random } from "../../../ports/random.ts";
import { guestFault } from "../../fault.ts";
import { toGuestError } from "../../guest_error.ts";
import type { FuelMeter } from "./fuel_meter.ts";
import type { GuestExports } from "./guest_exports.ts";
import type { GuestMemory } from "./guest_memory.ts";
import { Handles } from "./handles.ts";
import { lowerAnswer } from "./host_calls.ts";
import { requireStack } from "./stack.ts";
import { Subtask, subtaskStates } from "./subtask.ts";
import type { Task } from "./task.ts";
import { exceed, trap } from "./trap.ts";
import { OutputLines } from "./wasi/streams.ts";

/** What instances need of their surroundings. */
export interface CoreComponents {
  readonly clock: Clock;
  readonly random: Random;
}

/** What is done when the answer to a call is there. */
type Settle = (subtask: Subtask, answer: HostAnswer) => void;

/** What the imports of one instance act on: its memory, the entry that runs, the calls in flight. */
export class Bridge {
  readonly components: CoreComponents;
  readonly handles: Handles = new Handles();
  readonly output: OutputLines = new OutputLines(this);
  readonly #calls: HostCalls;
  readonly #limits: GuestLimits;
  readonly #settle: Settle;
  /** What the host uses of the instance: nothing before it is made, and after its end. */
  exports: GuestExports | undefined;
  /** The entry that runs. */
  running: Task | undefined;
  /** What a call of its host threw: guests that can catch exceptions must not survive it. */
  doom: { readonly error: unknown } | undefined;
  /** While it is above 0, the guest wants no entries to begin. */
  backpressure = 0;
  /** Bytes that calls in flight keep in the memory of the host. */
  #bytesInFlight = 0;

  constructor(components: CoreComponents, calls: HostCalls, limits: GuestLimits, settle: Settle) {
    this.components = components;
    this.#calls = calls;
    this.#limits = limits;
    this.#settle = settle;
  }

  /** The guest's memory, with views that hold. */
  get memory(): GuestMemory {
    const { memory } = this.exports ?? trap("it uses memory before that is there");
    memory.refresh();
    return memory;
  }

  get meter(): FuelMeter {
    return (this.exports ?? trap("it calls its host before it is there")).meter;
  }

  /** The entry that runs. @throws ActrError with fault `trapped` when there is none. */
  get task(): Task {
    return this.running ?? trap("it calls its host outside of an entry");
  }

  /** A call of the running entry: 2 when its result is there, else a handle of what is in flight. */
  perform(call: HostCall, resultAt: number): number {
    const { memory, meter, task } = this;
    const bytes = memory.lifted;
    meter.charge(bytes);
    requireStack();
    const answer = this.#calls(call);
    if (this.exports === undefined) throw guestFault("discarded", "the instance was discarded");
    if (answer instanceof Promise) {
      return this.#await(new Subtask(task, call.name, resultAt, bytes), answer);
    }
    lowerAnswer(memory, call.name, resultAt, answer);
    return subtaskStates.returned;
  }

  /** The running entry's result, which it gives once. */
  return(name: GuestEntry["name"], outcome: EntryOutcome): void {
    const { task } = this;
    if (task.entry.name !== name) trap(`${task.entry.name} returns a result of ${name}`);
    if (task.outcome !== undefined) trap(`${name} returns twice`);
    task.outcome = outcome;
    this.meter.charge(this.memory.lifted);
  }

  /** A line that the guest wrote to a stream; there is no log for what an initialiser writes. */
  print(level: string, message: string): void {
    if (this.running === undefined) return;
    const { token } = this.running.invocation;
    requireStack();
    void this.#calls({ name: "log-message", token, level, message });
  }

  /** Raises or lowers the guest's wish to be left alone. */
  press(by: number): void {
    this.backpressure += by;
    if (this.backpressure < 0) trap("it has less than no backpressure");
  }

  /** The node has done with a call, perhaps long after the guest gave it up: no more of it is kept. */
  forget(subtask: Subtask): void {
    this.#bytesInFlight -= subtask.bytes;
  }

  #await(subtask: Subtask, answer: Promise<HostAnswer>): number {
    this.#bytesInFlight += subtask.bytes;
    if (this.#bytesInFlight > this.#limits.memoryBytes) exceed("bytes of calls in flight");
    subtask.handle = this.handles.add(subtask);
    answer.then(
      (settled) => this.#settle(subtask, settled),
      (reason: unknown) => this.#settle(subtask, { error: toGuestError(reason) }),
    );
    return subtaskStates.started | (subtask.handle << 4);
  }
}
