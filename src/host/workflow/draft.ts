import type { KeyValues, QueueSendOptions } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { StoreChange } from "../../ports/store.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import type { StepSchedules } from "../../workflow.ts";
import { checkedNow } from "../check.ts";
import type { Instance } from "../instance.ts";
import { encodeBody, requireDelay, requireRoom } from "../queues/queue_checks.ts";
import { ActorValues } from "../state/key_values.ts";
import { TrackedState } from "../state/tracked_state.ts";
import { mergeState } from "./merge_state.ts";

/**
 * What a step would change of its actor. The actor changes when the step is done, all at once: until then nobody sees,
 * and nothing saves, what a step that fails may not leave behind.
 */
export class Draft {
  readonly #instance: Instance;
  /** The state as the step found it, encoded. */
  #base: Uint8Array | undefined;
  #state: TrackedState | undefined;
  #changed = false;
  #values: ActorValues | undefined;
  readonly #written: StoreChange[] = [];
  readonly #sends: (() => void)[] = [];
  /** Changes of schedules, events. */
  readonly #later: (() => void)[] = [];
  #closed = false;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  get state(): unknown {
    return this.#tracked().value;
  }

  set state(value: unknown) {
    this.#tracked().value = value;
  }

  get kv(): KeyValues {
    this.#requireOpen();
    const writer = { add: (change: StoreChange) => void this.#written.push(change), saves: 0 };
    this.#values ??= new ActorValues(this.#instance.components.store, this.#instance.id, writer);
    return this.#values;
  }

  get schedule(): StepSchedules {
    const { schedules } = this.#instance;
    const later =
      <Args extends readonly unknown[]>(set: (...args: Args) => unknown) =>
      (...args: Args): void =>
        this.later(() => set.apply(schedules, args as never));
    return {
      get: (idOrName) => schedules.get(idOrName),
      list: () => schedules.list(),
      after: later(schedules.after),
      at: later(schedules.at),
      set: later(schedules.set),
      every: later(schedules.every),
      cron: later(schedules.cron),
      cancel: later(schedules.cancel),
    };
  }

  /** @throws ActrError `queue.not_found`, `queue.invalid_payload`, `queue.message_too_large`. */
  send(name: string, body: unknown, { delayMs = 0 }: QueueSendOptions = {}): void {
    this.#requireOpen();
    const { queues, kind } = this.#instance;
    const lane = queues.lane(name);
    const checked = checkedNow(lane.definition.message, body, "queue.invalid_payload");
    // A copy: what the step changes afterwards is its own.
    const copy = decodeCbor(encodeBody(checked, kind.options));
    requireDelay(delayMs);
    this.#sends.push(() => void queues.put(lane, copy, delayMs));
  }

  /** Runs `act` when the step is done. */
  later(act: () => void): void {
    this.#requireOpen();
    this.#later.push(act);
  }

  /** The step is done. @throws ActrError for what cannot be, before anything has changed but schedules. */
  apply(): void {
    const { saving, queues, kind } = this.#instance;
    if (this.#sends.length > 0) {
      requireRoom(queues.size + this.#sends.length - 1, kind.options);
    }
    const merge = this.#changed ? this.#merge() : undefined;
    for (const act of this.#later) act();
    merge?.();
    for (const send of this.#sends) send();
    saving.add(...this.#written);
  }

  /** The step has ended: what its code still does changes nothing. */
  close(): void {
    this.#closed = true;
  }

  #merge(): () => void {
    const base = decodeCbor(this.#base as Uint8Array);
    return mergeState(this.#instance.saving, base, this.#state?.raw);
  }

  #tracked(): TrackedState {
    this.#requireOpen();
    if (this.#state !== undefined) return this.#state;
    this.#base = encodeCbor(this.#instance.saving.rawState);
    const copy: unknown = decodeCbor(this.#base);
    this.#state = new TrackedState(copy, () => {
      this.#requireOpen();
      this.#changed = true;
    });
    return this.#state;
  }

  #requireOpen(): void {
    if (!this.#closed) return;
    throw new ActrError("actor.aborted", "the step has ended; it can change nothing any more");
  }
}
