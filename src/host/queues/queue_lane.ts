import type { QueueDefinition, QueuePolicy } from "../../actor.ts";
import { Deque } from "../../deque.ts";
import { Heap } from "../heap.ts";
import type { HeldMessage } from "./held_message.ts";
import type { Receiver } from "./receiver.ts";

const defaultPolicy: Required<QueuePolicy> = {
  visibilityMs: 30_000,
  maxAttempts: 5,
  retryDelayMs: 1000,
  maxUncompleted: Number.POSITIVE_INFINITY,
};

/** One queue in memory: messages that can be handed out, by arrival, and who waits for them. */
export class QueueLane {
  readonly name: string;
  readonly definition: QueueDefinition;
  readonly policy: Required<QueuePolicy>;
  /** Who waits for its messages, by arrival. */
  readonly receivers: Set<Receiver> = new Set();
  /** Messages that were handed out, and not completed yet. */
  uncompleted = 0;
  readonly #fresh = new Deque<HeldMessage>();
  /** Those that come later than younger ones: they were delayed, or given back. */
  readonly #returned = new Heap<HeldMessage>((a, b) => a.row.seq < b.row.seq);
  #youngest = 0;

  constructor(name: string, definition: QueueDefinition) {
    this.name = name;
    this.definition = definition;
    this.policy = { ...defaultPolicy, ...definition };
  }

  /** The oldest message that can be handed out. */
  get first(): HeldMessage | undefined {
    const fresh = this.#fresh.first;
    const returned = this.#returned.first;
    if (fresh === undefined || returned === undefined) return fresh ?? returned;
    return fresh.row.seq < returned.row.seq ? fresh : returned;
  }

  /** Whether so many messages are uncompleted that no more are handed out to be completed. */
  get isFull(): boolean {
    return this.uncompleted >= this.policy.maxUncompleted;
  }

  put(message: HeldMessage): void {
    message.status = "ready";
    const { seq } = message.row;
    if (seq < this.#youngest) return this.#returned.push(message);
    this.#youngest = seq;
    this.#fresh.push(message);
  }

  /** Takes out {@link QueueLane.first}. */
  shift(): void {
    if (this.first === this.#returned.first) this.#returned.shift();
    else this.#fresh.shift();
  }
}
