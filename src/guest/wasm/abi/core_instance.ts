import type {
  EntryOutcome,
  GuestEntry,
  GuestInstance,
  GuestLimits,
  HostAnswer,
  HostCalls,
  Invocation,
} from "../../../ports/guest_host.ts";
import { guestFault } from "../../fault.ts";
import { Bridge, type CoreComponents } from "./bridge.ts";
import { lowerArguments } from "./entry_arguments.ts";
import type { GuestExports } from "./guest_exports.ts";
import { lowerAnswer } from "./host_calls.ts";
import { type Subtask, subtaskStates } from "./subtask.ts";
import { Task } from "./task.ts";
import { toFault, trap } from "./trap.ts";

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
  /** What its imports act on. */
  readonly bridge: Bridge;
  readonly #limits: GuestLimits;
  readonly #live = new Set<Task>();
  readonly #queue: Task[] = [];
  /** Why nothing enters any more. */
  #ended: Error | undefined;

  constructor(components: CoreComponents, calls: HostCalls, limits: GuestLimits) {
    this.#limits = limits;
    this.bridge = new Bridge(components, calls, limits, (subtask, answer) =>
      this.#settle(subtask, answer),
    );
  }

  get memoryBytes(): number {
    return this.bridge.exports?.memory.size ?? 0;
  }

  /** Takes what was instantiated, and runs its initialiser. */
  attach(exports: GuestExports): void {
    this.bridge.exports = exports;
    if (exports.initialize === undefined) return;
    exports.meter.fill(this.#limits.fuel);
    exports.initialize();
  }

  enter(entry: GuestEntry, invocation: Invocation): Promise<EntryOutcome> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const task = new Task(entry, invocation, this.#limits.fuel);
    this.#live.add(task);
    this.#queue.push(task);
    if (this.bridge.running === undefined) this.#beginQueued();
    return task.ended();
  }

  discard(): void {
    this.#end(guestFault("discarded", "the guest's instance was discarded"));
  }

  #settle(subtask: Subtask, answer: HostAnswer): void {
    if (this.#ended !== undefined) return;
    this.bridge.forget(subtask);
    if (subtask.state !== subtaskStates.started) return;
    this.#turn(subtask.task, () => {
      subtask.state = subtaskStates.returned;
      lowerAnswer(this.bridge.memory, subtask.name, subtask.resultAt, answer);
    });
    this.#wake(subtask);
    this.#beginQueued();
  }

  #beginQueued(): void {
    while (this.#ended === undefined && this.bridge.backpressure === 0) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      this.#turn(task, () => {
        const { memory, entries } = this.bridge.exports as GuestExports;
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
    const { entries } = this.bridge.exports as GuestExports;
    return entries[task.entry.name].back(event, first, second);
  }

  /** Does what the guest wants next, until it waits or exits. */
  #follow(task: Task, code: number): void {
    for (let next = code; ; ) {
      if (this.#ended !== undefined) return;
      if (this.bridge.doom !== undefined) throw this.bridge.doom.error;
      if (next === codes.exit) return this.#exit(task);
      if (next === codes.yield) return this.bridge.components.clock.defer(() => this.#resume(task));
      if ((next & 15) !== codes.wait) trap(`${next} is no code of what is next`);
      const set = this.bridge.handles.set(next >>> 4);
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
    const { meter, denied } = this.bridge.exports as GuestExports;
    this.bridge.running = task;
    meter.fill(task.fuel);
    try {
      run();
      if (this.#live.has(task)) task.fuel = meter.left;
    } catch (error) {
      this.#end(toFault(error, { fuel: meter.left, denied: denied.value }), task);
    } finally {
      this.bridge.running = undefined;
    }
  }

  /** The last of it: the entry that ended it is told why, the others that it is gone. */
  #end(fault: Error, culprit?: Task): void {
    if (this.#ended !== undefined) return;
    this.#ended =
      culprit === undefined
        ? fault
        : guestFault("discarded", "another entry ended the guest's instance", fault);
    this.bridge.exports = undefined;
    culprit?.end({ fault });
    for (const task of this.#live) if (task !== culprit) task.end({ fault: this.#ended });
    this.#live.clear();
    this.#queue.length = 0;
  }
}
