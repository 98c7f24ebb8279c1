import type { HostCall } from "../../../ports/guest_host.ts";
import type { Task } from "./task.ts";
import type { WaitableSet } from "./waitable_set.ts";

/** How far a call of the host is, as guests are told. */
export const subtaskStates = { started: 1, returned: 2, cancelled: 4 } as const;

/** One call of the host that the guest has not heard the end of. */
export class Subtask {
  readonly task: Task;
  readonly name: HostCall["name"];
  /** Where the guest wants the result. */
  readonly resultAt: number;
  /** What it keeps in the memory of the host. */
  readonly bytes: number;
  handle = 0;
  state: (typeof subtaskStates)[keyof typeof subtaskStates] = subtaskStates.started;
  /** Whether the guest was told of the end. */
  delivered = false;
  set: WaitableSet | undefined;

  constructor(task: Task, name: HostCall["name"], resultAt: number, bytes: number) {
    this.task = task;
    this.name = name;
    this.resultAt = resultAt;
    this.bytes = bytes;
  }

  /** Whether the guest is to be told of the end. */
  get isDue(): boolean {
    return this.state !== subtaskStates.started && !this.delivered;
  }
}
