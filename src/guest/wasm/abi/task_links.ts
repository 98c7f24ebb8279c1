import type { Bridge } from "./bridge.ts";
import type { Links } from "./link.ts";
import { type Subtask, subtaskStates } from "./subtask.ts";
import { trap } from "./trap.ts";
import { WaitableSet } from "./waitable_set.ts";

/** Takes what ended out of a set: 1 and (handle, state) at `at`, or 0. */
function take(guest: Bridge, handle: number, at: number): number {
  const { memory, handles } = guest;
  memory.requireInside(at, 8, 4);
  const subtask = handles.set(handle).take();
  memory.view.setUint32(at, subtask?.handle ?? 0, true);
  memory.view.setUint32(at + 4, subtask?.state ?? 0, true);
  return subtask === undefined ? 0 : 1;
}

/** The answer of the node, if it still comes, is of no interest. */
function cancel(subtask: Subtask): number {
  if (subtask.delivered) trap("a call that has ended is cancelled");
  if (subtask.state === subtaskStates.started) subtask.state = subtaskStates.cancelled;
  subtask.delivered = true;
  return subtask.state;
}

/** Module `$root`: what guests do with tasks, calls in flight and sets of them. Nothing of it waits (`spec/guest.md` §17). */
export const taskLinks: Links = {
  "[waitable-set-new]": (guest) => (): number => guest.handles.add(new WaitableSet()),
  "[waitable-set-poll]": (guest) => (set: number, at: number) => take(guest, set, at >>> 0),
  "[waitable-set-wait]": (guest) => (set: number, at: number) =>
    take(guest, set, at >>> 0) || trap("it waits for a call without giving way; await it instead"),
  "[waitable-set-drop]": (guest) => (handle: number) => {
    const set = guest.handles.set(handle);
    if (!set.isEmpty || set.waiters.length > 0) trap("a set is dropped that is in use");
    guest.handles.remove(handle);
  },
  "[waitable-join]": (guest) => (handle: number, set: number) => {
    const { handles } = guest;
    WaitableSet.join(handles.subtask(handle), set === 0 ? undefined : handles.set(set));
  },
  "[subtask-drop]": (guest) => (handle: number) => {
    const subtask = guest.handles.subtask(handle);
    if (!subtask.delivered) trap("a call is dropped that has not ended");
    WaitableSet.join(subtask);
    guest.handles.remove(handle);
  },
  "[subtask-cancel]": (guest) => (handle: number) => cancel(guest.handles.subtask(handle)),
  "[async-lower][subtask-cancel]": (guest) => (handle: number) =>
    cancel(guest.handles.subtask(handle)),
  "[context-get-0]": (guest) => () => guest.task.context[0],
  "[context-get-1]": (guest) => () => guest.task.context[1],
  "[context-set-0]": (guest) => (value: number) => {
    guest.task.context[0] = value;
  },
  "[context-set-1]": (guest) => (value: number) => {
    guest.task.context[1] = value;
  },
  "[backpressure-inc]": (guest) => () => guest.press(1),
  "[backpressure-dec]": (guest) => () => guest.press(-1),
  // A guest that gives way by a return code lets others run; here it has nothing to wait for.
  "[thread-yield]": () => () => 0,
  "[cancellable][thread-yield]": () => () => 0,
};

/** Module `[export]$root`: nobody asks a guest to give up an entry, so that it cannot say that it did. */
export const ownTaskLinks: Links = {
  "[task-cancel]": () => () => trap("it gives up an entry that nobody asked it to"),
};
