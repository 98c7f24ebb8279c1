import { ActrError } from "../../errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { RecordEntry, Store } from "../../ports/store.ts";
import {
  type AlarmEntry,
  alarmKeyBefore,
  alarmSpace,
  deleteAlarm,
  readAlarmKey,
} from "./schedule_row.ts";

/** What an {@link AlarmClock} works with. */
export interface AlarmClockComponents {
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Store;
  /** Wakes an actor and runs those of its schedules that are due; false when there is no such actor. Never rejects. */
  readonly onDue: (actorId: string, scheduleIds: readonly string[]) => Promise<boolean>;
}

const pageSize = 256;
/** Lines that are read before their actors are told: a page after that waits until what these write is on disk. */
const maxHeld = 4096;
/** Actors that are woken at once; what else is due waits for them. */
const maxWaking = 256;
/** All that is due is looked for so often, whatever was told already: a watchdog, milliseconds. */
const watchdogMs = 30_000;
/** Pause after the index could not be read, milliseconds. */
const retryMs = 1000;

/**
 * One timer for the schedules of all actors of a node: it wakes those that something is due for. Each line of the index
 * is read when it is due, and again by the watchdog if it is still there; what waits is not read.
 */
export class AlarmClock {
  readonly #components: AlarmClockComponents;
  /** Actors that are being woken. */
  #waking = 0;
  /** Told when one more may be. */
  #freed: () => void = () => {};
  #timer: Timer | undefined;
  #nextAt = Number.POSITIVE_INFINITY;
  /** What is due from this time on has not been told of. */
  #from = 0;
  #watchAt = 0;
  #looking = false;
  #lookAgain = false;
  #open = false;

  constructor(components: AlarmClockComponents) {
    this.#components = components;
  }

  /** Tells of what is overdue, and from then on of whatever becomes due. */
  start(): void {
    this.#open = true;
    this.expect(this.#components.clock.now());
  }

  /** Something is due at a time, Unix milliseconds. */
  expect(atMs: number): void {
    this.#from = Math.min(this.#from, atMs);
    this.#arm(atMs);
  }

  close(): void {
    this.#open = false;
    this.#timer?.cancel();
  }

  #arm(atMs: number): void {
    if (!this.#open || atMs >= this.#nextAt) return;
    this.#nextAt = atMs;
    this.#timer?.cancel();
    this.#timer = this.#components.clock.timer(atMs, () => void this.#ring());
  }

  async #ring(): Promise<void> {
    this.#nextAt = Number.POSITIVE_INFINITY;
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    while (this.#lookAgain) {
      this.#lookAgain = false;
      await this.#look();
    }
    this.#looking = false;
  }

  /** Tells of everything that is due and was not told of, page by page. */
  async #look(): Promise<void> {
    const { clock, log } = this.#components;
    const now = clock.now();
    const from = now >= this.#watchAt ? 0 : this.#from;
    if (from === 0) this.#watchAt = now + watchdogMs;
    // What is set meanwhile moves it back.
    this.#from = now + 1;
    try {
      const next = await this.#tellDue(from, now);
      this.#arm(Math.min(next, this.#watchAt));
    } catch (error) {
      log.error("actor.alarms_unreadable", { error: ActrError.from(error, "storage") });
      this.#from = Math.min(this.#from, from);
      this.#arm(now + retryMs);
    }
  }

  /** Returns when the first is due that is not due yet. */
  async #tellDue(from: number, now: number): Promise<number> {
    const { store } = this.#components;
    const due: AlarmEntry[] = [];
    let after: string | undefined = alarmKeyBefore(from);
    let later: AlarmEntry | undefined;
    while (after !== undefined && this.#open) {
      const page: RecordEntry[] = await store.records(alarmSpace, after, pageSize);
      const entries = page.map(({ key }) => readAlarmKey(key));
      later = entries.find(({ at }) => at > now);
      due.push(...entries.filter(({ at }) => at <= now));
      after = later === undefined && page.length === pageSize ? page.at(-1)?.key : undefined;
      if (after === undefined || due.length >= maxHeld) await this.#tell(due.splice(0));
    }
    return later?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Tells every actor once, as long as not too many wake. */
  async #tell(entries: readonly AlarmEntry[]): Promise<void> {
    const due = new Map<string, AlarmEntry[]>();
    for (const entry of entries) {
      const known = due.get(entry.actorId);
      if (known === undefined) due.set(entry.actorId, [entry]);
      else known.push(entry);
    }
    for (const [actorId, lines] of due) {
      if (this.#waking >= maxWaking) await this.#room();
      this.#waking += 1;
      void this.#wake(actorId, lines).then(() => {
        this.#waking -= 1;
        this.#freed();
      });
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#freed = resolve;
    });
  }

  async #wake(actorId: string, lines: readonly AlarmEntry[]): Promise<void> {
    const { store, log, onDue } = this.#components;
    const exists = await onDue(
      actorId,
      lines.map(({ scheduleId }) => scheduleId),
    );
    if (exists || !this.#open) return;
    log.warn("actor.alarms_of_none", { actor_id: actorId, lines: lines.length });
    // What cannot be deleted now is found again by the watchdog.
    await store.commit(lines.map(deleteAlarm)).catch(() => {});
  }
}
