import type { QueueDefinition, QueueMessage, Queues } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HeldMessage } from "./held_message.ts";
import { MessageTimer } from "./message_timer.ts";
import { QueueLane } from "./queue_lane.ts";
import { type Patience, Receiver, type Wanted } from "./receiver.ts";

/** What becomes of the messages of an index. */
export interface IndexOwner {
  /** A message leaves its queue for a receiver: it is claimed, or deleted. */
  handOut(message: HeldMessage, wanted: Wanted): QueueMessage;
  /** Nobody completed a message in its time. */
  lapsed(message: HeldMessage): void;
  /** A message can be handed out, and nobody waits for it. */
  unclaimed(): void;
}

/**
 * The messages of one actor by queue, by time and by claim, and who waits for them. A queue holds messages that can be
 * handed out or receivers that wait for some, so neither a message nor a receiver is ever searched for.
 */
export class MessageIndex {
  readonly #definitions: Queues;
  readonly #clock: Clock;
  readonly #owner: IndexOwner;
  readonly #lanes = new Map<string, QueueLane>();
  readonly #timer: MessageTimer;

  constructor(definitions: Queues, clock: Clock, owner: IndexOwner) {
    this.#definitions = definitions;
    this.#clock = clock;
    this.#owner = owner;
    this.#timer = new MessageTimer(clock, (message) => {
      if (message.status === "delayed") return this.#enter(message);
      message.lane.uncompleted -= 1;
      this.#owner.lapsed(message);
    });
  }

  /** When the next message is given up by who has it, or its delay ends, Unix milliseconds. */
  get nextAt(): number | undefined {
    return this.#timer.nextAt;
  }

  /** Whether a message can be handed out. */
  get hasReady(): boolean {
    for (const lane of this.#lanes.values()) if (lane.first !== undefined) return true;
    return false;
  }

  /** A queue, if it is declared. */
  find(name: string): QueueLane | undefined {
    const lane = this.#lanes.get(name);
    if (lane !== undefined || !Object.hasOwn(this.#definitions, name)) return lane;
    const made = new QueueLane(name, this.#definitions[name] as QueueDefinition);
    this.#lanes.set(name, made);
    return made;
  }

  /** @throws ActrError `queue.not_found`. */
  lane(name: string): QueueLane {
    const lane = this.find(name);
    if (lane !== undefined) return lane;
    const names = Object.keys(this.#definitions).join(", ") || "none";
    const message = `the actor has no queue ${JSON.stringify(name)}; there are: ${names}`;
    throw new ActrError("queue.not_found", message);
  }

  /** These queues, or all. @throws ActrError `queue.not_found`. */
  lanes(names: readonly string[] = Object.keys(this.#definitions)): QueueLane[] {
    if (names.length > 0) return names.map((name) => this.lane(name));
    throw new ActrError("queue.not_found", "there is no queue to receive from");
  }

  /** Takes a message in, which can be handed out from `dueAt` on. */
  add(message: HeldMessage, dueAt: number): void {
    message.dueAt = dueAt;
    if (dueAt <= this.#clock.now()) return this.#enter(message);
    message.status = "delayed";
    this.#timer.add(message);
  }

  /** A message that was handed out is to be completed by `dueAt`. */
  claim(message: HeldMessage, dueAt: number): void {
    message.status = "claimed";
    message.dueAt = dueAt;
    message.lane.uncompleted += 1;
    this.#timer.add(message);
  }

  /** Ends the claim of a message before its time. */
  release(message: HeldMessage): void {
    this.#timer.remove(message);
    message.lane.uncompleted -= 1;
  }

  /** What can be handed out now. */
  take(wanted: Wanted): QueueMessage[] {
    const { lanes, count, completable } = wanted;
    const taken: QueueMessage[] = [];
    while (taken.length < count) {
      const message = oldest(lanes, completable);
      if (message === undefined) break;
      message.lane.shift();
      taken.push(this.#owner.handOut(message, wanted));
    }
    return taken;
  }

  /** Hands out what is there to those that wait, in the order of both: when a message came, or one that blocked others is done. */
  serve(lane: QueueLane): void {
    for (const receiver of lane.receivers) {
      if (lane.first === undefined) return;
      const messages = this.take(receiver.wanted);
      if (messages.length > 0) receiver.take(messages);
    }
  }

  /** Waits for what can be handed out. @throws ActrError `actor.aborted`. */
  wait(wanted: Wanted, patience: Omit<Patience, "clock">): Promise<readonly QueueMessage[]> {
    return new Receiver(wanted, { ...patience, clock: this.#clock }).received();
  }

  close(): void {
    this.#timer.close();
  }

  #enter(message: HeldMessage): void {
    message.lane.put(message);
    this.serve(message.lane);
    if (message.status === "ready") this.#owner.unclaimed();
  }
}

/** The message of these queues that arrived first. */
function oldest(lanes: readonly QueueLane[], completable: boolean): HeldMessage | undefined {
  let found: HeldMessage | undefined;
  for (const lane of lanes) {
    const { first } = lane;
    if (first === undefined || (completable && lane.isFull)) continue;
    if (found === undefined || first.row.seq < found.row.seq) found = first;
  }
  return found;
}
