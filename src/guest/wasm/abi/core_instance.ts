import type { Clock } from "../../../ports/clock.ts";
import type {
  EntryOutcome,
  GuestEntry,
  GuestInstance,
  GuestLimits,
  HostAnswer,
  HostCall,
  HostCalls,
  Invocation,
} from "../../../ports/guest_host.ts";
import type { Random } from "../../../ports/random.ts";
import { guestFault } from "../../fault.ts";
import { toGuestError } from "../../guest_error.ts";
import { lowerArguments } from "./entry_arguments.ts";
import type { FuelMeter } from "./fuel_meter.ts";
import type { GuestExports } from "./guest_exports.ts";
import type { GuestMemory } from "./guest_memory.ts";
import { Handles } from "./handles.ts";
import { lowerAnswer } from "./host_calls.ts";
import { Subtask, subtaskStates } from "./subtask.ts";
import { Task } from "./task.ts";
import { exceed, toFault, trap } from "./trap.ts";
import { OutputLines } from "./wasi/streams.ts";

/** What instances need of their surroundings. */
export interface CoreComponents {
  readonly clock: Clock;
  readonly random: Random;
}

/** What a guest wants next, the low four bits of what it returns; a set of which it waits for is above. */
const codes = { exit: 0, yield: 1, wait: 2 } as const;

/** What a guest is called back with. */
const events = { none: 0, subtask: 1 } as const;

/**
 * One instance of a guest, run by the rules of the callback ABI (`spec/guest.md` §17): an entry runs until the guest
 * exits or waits, others may begin meanwhile, and whatever was waited for calls it back. Never twice at once: what comes
 * while the guest is on the stack begins when it has left. Each entry has fuel of its own.
 */
export class CoreInstance implements GuestInstance {
  readonly components: CoreComponents;
  readonly handles = new Handles();
  readonly output: OutputLines = new OutputLines(this);
  readonly #calls: HostCalls;
  readonly #limits: GuestLimits;
  readonly #live = new Set<Task>();
  readonly #queue: Task[] = [];
  #exports: GuestExports | undefined;
  #running: Task | undefined;
  /** Why nothing enters any more. */
  #ended: Error | undefined;
  /** What a call of its host threw: guests that can catch exceptions must not survive it. */
  #doom: { readonly error: unknown } | undefined;
  /** While it is above 0, the guest wants no entries to begin. */
  #backpressure = 0;
  /** Bytes that calls in flight keep in the memory of the host. */
  #bytesInFlight = 0;

  constructor(components: CoreComponents, calls: HostCalls, limits: GuestLimits) {
    this.components = components;
    this.#calls = calls;
    this.#limits = limits;
  }

  get memoryBytes(): number {
    return this.#exports?.memory.size ?? 0;
  }

  /** Its memory, with views that hold. */
  get memory(): GuestMemory {
    const { memory } = this.#exports ?? trap("it uses memory before that is there");
    memory.refresh();
    return memory;
  }

  get meter(): FuelMeter {
    return (this.#exports ?? trap("it calls its host before it is there")).meter;
  }

  /** The entry that runs. */
  get task(): Task {
    return this.#running ?? trap("it calls its host outside of an entry");
  }

  /** Takes what was instantiated, and runs its initialiser. */
  attach(exports: GuestExports): void {
    this.#exports = exports;
    if (exports.initialize === undefined) return;
    exports.meter.fill(this.#limits.fuel);
    exports.initialize();
  }

  enter(entry: GuestEntry, invocation: Invocation): Promise<EntryOutcome> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const task = new Task(entry, invocation, this.#limits.fuel);
    this.#live.add(task);
    this.#queue.push(task);
    if (this.#running === undefined) this.#beginQueued();
    return task.ended();
  }

  discard(): void {
    this.#end(guestFault("discarded", "the guest's instance was discarded"));
  }

  /** A call of the running entry: 2 when its result is there, else a handle of what is in flight. */
  perform(call: HostCall, resultAt: number): number {
    const { memory, meter, task } = this;
    const bytes = memory.lifted;
    meter.charge(bytes);
    const answer = this.#calls(call);
    if (this.#ended !== undefined) throw this.#ended;
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
    if (this.#running === undefined) return;
    void this.#calls({
      name: "log-message",
      token: this.#running.invocation.token,
      level,
      message,
    });
  }

  /** Ends the guest when it gives way next, whether or not it lets the exception through. */
  doom(error: unknown): void {
    this.#doom ??= { error };
  }

  /** Raises or lowers the guest's wish to be left alone. */
  press(by: number): void {
    this.#backpressure += by;
    if (this.#backpressure < 0) trap("it has less than no backpressure");
  }

  /** No more of a call is kept: its end is told, or of no interest. */
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

  #settle(subtask: Subtask, answer: HostAnswer): void {
    if (this.#ended !== undefined || subtask.state !== subtaskStates.started) return;
    this.forget(subtask);
    this.#turn(subtask.task, () => {
      subtask.state = subtaskStates.returned;
      lowerAnswer(this.memory, subtask.name, subtask.resultAt, answer);
    });
    this.#wake(subtask);
    this.#beginQueued();
  }

  #beginQueued(): void {
    while (this.#ended === undefined && this.#backpressure === 0) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      this.#turn(task, () => {
        const { memory, entries } = this.#exports as GuestExports;
        const { begin } = entries[task.entry.name];
        this.#follow(task, begin(lowerArguments(memory, task.entry, task.invocation)));
      });
    }
  }

  /** Tells the entry that waits for a call, if one does, that it has ended. */
  #wake(subtask: Subtask): void {
    const task = subtask.set?.waiters.shift();
    if (task === undefined || this.#ended !== undefined) return;
    subtask.delivered = true;
    this.#turn(task, () => this.#follow(task, this.#tell(task, subtask)));
  }

  #resume(task: Task): void {
    if (this.#ended !== undefined) return;
    this.#turn(task, () => this.#follow(task, this.#callBack(task, events.none, 0, 0)));
    this.#beginQueued();
  }

  #tell(task: Task, { handle, state }: Subtask): number {
    return this.#callBack(task, events.subtask, handle, state);
  }

  #callBack(task: Task, event: number, first: number, second: number): number {
    const { entries } = this.#exports as GuestExports;
    return entries[task.entry.name].back(event, first, second);
  }

  /** Does what the guest wants next, until it waits or exits. */
  #follow(task: Task, code: number): void {
    for (let next = code; ; ) {
      if (this.#ended !== undefined) return;
      if (this.#doom !== undefined) throw this.#doom.error;
      if (next === codes.exit) return this.#exit(task);
      if (next === codes.yield) return this.components.clock.defer(() => this.#resume(task));
      if ((next & 15) !== codes.wait) trap(`${next} is no code of what is next`);
      const set = this.handles.set(next >>> 4);
      const subtask = set.take();
      if (subtask === undefined) return void set.waiters.push(task);
      next = this.#tell(task, subtask);
    }
  }

  #exit(task: Task): void {
    const { outcome } = task;
    if (outcome === undefined) return trap(`${task.entry.name} exits without a result`);
    this.#live.delete(task);
    task.end({ outcome });
  }

  /** Runs the guest for an entry, on the fuel of that entry. */
  #turn(task: Task, run: () => void): void {
    const { meter, denied } = this.#exports as GuestExports;
    this.#running = task;
    meter.fill(task.fuel);
    try {
      run();
      if (this.#live.has(task)) task.fuel = meter.left;
    } catch (error) {
      this.#end(toFault(error, { fuel: meter.left, denied: denied.value }), task);
    } finally {
      this.#running = undefined;
    }
  }

  /** The last of it: the entry that ended it is told why, the others that it is gone. */
  #end(fault: Error, culprit?: Task): void {
    if (this.#ended !== undefined) return;
    this.#ended =
      culprit === undefined
        ? fault
        : guestFault("discarded", "another entry ended the guest's instance", fault);
    this.#exports = undefined;
    culprit?.end({ fault });
    for (const task of this.#live) if (task !== culprit) task.end({ fault: this.#ended });
    this.#live.clear();
    this.#queue.length = 0;
  }
}
