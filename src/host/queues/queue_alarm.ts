import type { RecordEntry } from "../../ports/store.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { actorSpace } from "../contents.ts";
import type { Instance } from "../instance.ts";
import type { StopReason } from "../lifecycle.ts";
import { alarmKeyBefore, alarmSpace } from "../schedules/schedule_row.ts";

/** What messages wait, as a stop finds them. */
export interface MessagesLeft {
  /** Whether one can be handed out. */
  readonly hasReady: boolean;
  /** When the next one can be, Unix milliseconds. */
  readonly nextAt: number | undefined;
}

/** Stands in the index of alarms where schedules have their ids. */
const lineId = "queue";
/** Key of the row that tells a later life where the line is. */
const pointerKey = "q!";
const noValue = new Uint8Array(0);

/**
 * The line in the node's index of alarms that wakes an actor for the messages that its `run` waits for, also after a
 * crash. While the actor is awake it is early rather than exact, so that messages need no line each.
 */
export class QueueAlarm {
  readonly #instance: Instance;
  readonly #expect: (atMs: number) => void;
  #at: number | undefined;
  /** Whether `run` has waited for messages in this life. */
  #awaited = false;
  #runRests = false;
  /** Whether messages came that `run` did not wait for when they did. */
  #missed = false;

  /** @param expect tells the host when the actor is to be woken, Unix milliseconds. */
  constructor(instance: Instance, expect: (atMs: number) => void) {
    this.#instance = instance;
    this.#expect = expect;
  }

  /** Takes what is stored; false for a row of something else. */
  restore({ key, value }: RecordEntry): boolean {
    if (key !== pointerKey) return false;
    this.#at = decodeCbor(value) as number;
    return true;
  }

  /** A message can be handed out from a time on, Unix milliseconds. */
  ringBy(atMs: number): void {
    if (this.#awaited && (this.#at === undefined || atMs < this.#at)) this.#set(atMs);
  }

  /** A message can be handed out, and nobody takes it. */
  leave(): void {
    if (!this.#runRests) this.#missed = true;
  }

  /** `run` waits for messages: what lies in the queues is not for it. */
  runRests(): void {
    this.#runRests = true;
    this.#missed = false;
    this.#awaited = true;
  }

  runGoesOn(): void {
    this.#runRests = false;
  }

  /** Before a stop: sees to it that the actor is woken when there is a message for its `run`. */
  settle(reason: StopReason, { hasReady, nextAt }: MessagesLeft): void {
    const { kind, components } = this.#instance;
    if (reason === "destroy" || kind.definition.run === undefined) return this.#set(undefined);
    if (!this.#awaited) return;
    const at = this.#missed && hasReady ? components.clock.now() : nextAt;
    this.#set(at);
    if (at !== undefined) this.#expect(at);
  }

  #set(atMs: number | undefined): void {
    if (atMs === this.#at) return;
    const { id, saving } = this.#instance;
    const pointer = { space: actorSpace(id), key: pointerKey };
    if (this.#at !== undefined) {
      saving.add({ kind: "record.delete", space: alarmSpace, key: this.#line(this.#at) });
    }
    this.#at = atMs;
    if (atMs === undefined) return saving.add({ kind: "record.delete", ...pointer });
    saving.add(
      { kind: "record.put", space: alarmSpace, key: this.#line(atMs), value: noValue },
      { kind: "record.put", ...pointer, value: encodeCbor(atMs) },
    );
  }

  #line(atMs: number): string {
    return `${alarmKeyBefore(atMs)}:${this.#instance.id}:${lineId}`;
  }
}
