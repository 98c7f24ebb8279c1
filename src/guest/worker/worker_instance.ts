import type {
  EntryOutcome,
  GuestEntry,
  GuestInstance,
  HostCalls,
  Invocation,
} from "../../ports/guest_host.ts";
import { type ActrId, actrIdEquals } from "../../protocol/ids.ts";
import { type GuestFault, guestFault } from "../fault.ts";
import type { ThreadLine } from "./thread_line.ts";

/** Who waits for the end of an entry. */
interface Waiting {
  readonly resolve: (outcome: EntryOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** An instance in a thread, from outside. */
export class WorkerInstance implements GuestInstance {
  readonly id: number;
  readonly calls: HostCalls;
  memoryBytes: number;
  readonly #line: ThreadLine;
  readonly #waiting = new Map<number, Waiting>();
  #selfId: ActrId | undefined;
  #over = false;

  constructor(line: ThreadLine, id: number, calls: HostCalls, memoryBytes: number) {
    this.#line = line;
    this.id = id;
    this.calls = calls;
    this.memoryBytes = memoryBytes;
  }

  enter(entry: GuestEntry, invocation: Invocation): Promise<EntryOutcome> {
    if (this.#over) return Promise.reject(gone("discarded", "the instance is over"));
    const id = this.#line.enter(this, entry, invocation);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Whether the thread has to be told first who the node is. */
  learns(selfId: ActrId): boolean {
    if (this.#selfId !== undefined && actrIdEquals(this.#selfId, selfId)) return false;
    this.#selfId = selfId;
    return true;
  }

  /** An entry has ended. */
  settle(id: number, outcome: EntryOutcome, memoryBytes: number): void {
    this.memoryBytes = memoryBytes;
    this.#take(id)?.resolve(outcome);
  }

  /** An entry has ended the instance. */
  fail(id: number, error: unknown): void {
    this.#take(id)?.reject(error);
  }

  /** The thread has ended: whose fault it was is known only if one entry alone was in flight. */
  lose(cause: unknown): void {
    const text = cause instanceof Error ? cause.message : String(cause);
    const fault = this.#waiting.size === 1 ? "trapped" : "discarded";
    this.#end(fault, `the guest's thread has ended: ${text}`);
  }

  discard(): void {
    if (this.#over) return;
    this.#end("discarded", "the instance was discarded");
    this.#line.discard(this);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (this.#waiting.delete(id)) this.#line.leave();
    return waiting;
  }

  #end(fault: GuestFault, text: string): void {
    this.#over = true;
    for (const id of [...this.#waiting.keys()]) this.#take(id)?.reject(gone(fault, text));
  }
}

function gone(fault: GuestFault, text: string): Error {
  return guestFault(fault, text);
}
