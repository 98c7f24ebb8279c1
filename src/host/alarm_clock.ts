import { ActrError } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Store } from "../ports/store.ts";
import { alarmSpace, readAlarmKey } from "./schedule_row.ts";

/** What an {@link AlarmClock} works with. */
export interface AlarmClockComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  /** Wakes an actor and runs what is due in it. */
  readonly onDue: (actorId: string) => void;
}

const pageSize = 256;
/** All that is due is looked for so often, whatever the timer says: a watchdog, milliseconds. */
const watchdogMs = 30_000;

/** One timer for the schedules of all actors of a node: it wakes those that something is due for. */
export class AlarmClock {
  readonly #components: AlarmClockComponents;
  #timer: Timer | undefined;
  #nextAt = Number.POSITIVE_INFINITY;
  #ringing = false;
  #open = false;

  constructor(components: AlarmClockComponents) {
    this.#components = components;
  }

  /** Rings for what is overdue, and from then on for whatever becomes due. */
  start(): void {
    this.#open = true;
    this.expect(this.#components.clock.now());
  }

  /** Something is due at a time, Unix milliseconds. */
  expect(atMs: number): void {
    if (!this.#open || atMs >= this.#nextAt) return;
    this.#nextAt = atMs;
    this.#timer?.cancel();
    this.#timer = this.#components.clock.timer(atMs, () => void this.#ring());
  }

  close(): void {
    this.#open = false;
    this.#timer?.cancel();
  }

  /** Tells every actor once that something is due for it, page by page. */
  async #ring(): Promise<void> {
    if (this.#ringing) return;
    this.#ringing = true;
    const { clock, store, log } = this.#components;
    this.#nextAt = Number.POSITIVE_INFINITY;
    let next = clock.now() + watchdogMs;
    try {
      for (let after = ""; this.#open; ) {
        const page = await store.records(alarmSpace, after, pageSize);
        const later = this.#tell(page.map(({ key }) => readAlarmKey(key)));
        after = page.at(-1)?.key ?? after;
        if (later !== undefined) next = Math.min(next, later);
        if (later !== undefined || page.length < pageSize) break;
      }
    } catch (error) {
      log.error("actor.alarms_unreadable", { error: ActrError.from(error, "storage") });
    }
    this.#ringing = false;
    this.expect(next);
  }

  /** Returns the time of the first that is not due. */
  #tell(entries: readonly { readonly at: number; readonly actorId: string }[]): number | undefined {
    const { clock, onDue } = this.#components;
    const now = clock.now();
    const due = new Set<string>();
    const later = entries.find(({ at, actorId }) => {
      if (at <= now) due.add(actorId);
      return at > now;
    });
    for (const actorId of due) onDue(actorId);
    return later?.at;
  }
}
