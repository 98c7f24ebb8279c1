import type { RecordEntry } from "../ports/store.ts";
import { decodeCbor } from "../protocol/cbor/decode.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";
import { actorSpace } from "./contents.ts";
import type { Saving } from "./saving.ts";
import { alarmKeyBefore, alarmSpace } from "./schedule_row.ts";

/** Stands in the index of alarms where schedules have their ids. */
const lineId = "queue";
/** Key of the row that tells a later life where the line is. */
const pointerKey = "q!";
const noValue = new Uint8Array(0);

/**
 * The line in the node's index of alarms that wakes an actor for its messages, also after a crash. While the actor is
 * awake it is early rather than exact, so that messages need no line each.
 */
export class QueueAlarm {
  readonly #actorId: string;
  readonly #saving: Saving;
  #at: number | undefined;

  constructor(actorId: string, saving: Saving) {
    this.#actorId = actorId;
    this.#saving = saving;
  }

  /** Takes what is stored; false for a row of something else. */
  restore({ key, value }: RecordEntry): boolean {
    if (key !== pointerKey) return false;
    this.#at = decodeCbor(value) as number;
    return true;
  }

  /** Rings at a time or earlier, Unix milliseconds. */
  ringBy(atMs: number): void {
    if (this.#at === undefined || atMs < this.#at) this.set(atMs);
  }

  /** Rings at a time, Unix milliseconds; not at all without one. */
  set(atMs: number | undefined): void {
    if (atMs === this.#at) return;
    const pointer = { space: actorSpace(this.#actorId), key: pointerKey };
    if (this.#at !== undefined) {
      this.#saving.add({ kind: "record.delete", space: alarmSpace, key: this.#line(this.#at) });
    }
    this.#at = atMs;
    if (atMs === undefined) return this.#saving.add({ kind: "record.delete", ...pointer });
    this.#saving.add(
      { kind: "record.put", space: alarmSpace, key: this.#line(atMs), value: noValue },
      { kind: "record.put", ...pointer, value: encodeCbor(atMs) },
    );
  }

  #line(atMs: number): string {
    return `${alarmKeyBefore(atMs)}:${this.#actorId}:${lineId}`;
  }
}
