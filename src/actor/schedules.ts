/** When a schedule's action is tried again after it failed; beyond, it becomes a dead letter. */
export interface SchedulePolicy {
  /** @default 3 */
  readonly maxRetries?: number;
  /** First pause before another try; doubles. Milliseconds. @default 1000 */
  readonly retryDelayMs?: number;
}

/** How one action is scheduled. */
export interface ScheduleOptions extends SchedulePolicy {
  /** Replaces the schedule of this name, if there is one. At most 128 UTF-8 bytes. @default a new schedule */
  readonly name?: string;
}

/** How an action is scheduled by the calendar. */
export interface CronOptions extends ScheduleOptions {
  /** IANA time zone. @default "UTC" */
  readonly timeZone?: string;
}

/** One schedule, as it is listed. */
export interface Schedule {
  readonly id: string;
  readonly name: string | undefined;
  readonly action: string;
  readonly args: readonly unknown[];
  /** When it is due, Unix milliseconds. */
  readonly dueAt: number;
  /** A repeating one has an interval in milliseconds, or a cron expression. */
  readonly everyMs: number | undefined;
  readonly cron: string | undefined;
  readonly timeZone: string | undefined;
}

/** One try of one run of a schedule, as it is remembered. */
export interface ScheduleRun extends ScheduleFire {
  readonly action: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why it failed; `schedule.interrupted` when its process, or its actor, ended under it. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Which runs are listed. */
export interface HistoryOptions {
  /** @default 100 */
  readonly limit?: number;
}

/** Durable schedules of one actor: an action runs later, also when the actor sleeps or its node was restarted. */
export interface Schedules {
  /** Runs an action once, `ms` milliseconds from now; returns the schedule's id. @throws ActrError `actor.action_not_found`, `schedule.full`. */
  after(ms: number, action: string, ...args: unknown[]): string;
  /** Runs an action once at a time, Unix milliseconds. @throws as {@link Schedules.after}. */
  at(dueAt: number, action: string, ...args: unknown[]): string;
  /** As {@link Schedules.at}, with a name and a policy. @throws as {@link Schedules.after}; `schedule.invalid`. */
  set(
    options: ScheduleOptions & { readonly at: number },
    action: string,
    ...args: unknown[]
  ): string;
  /** Runs an action every `everyMs` milliseconds, at least 5000; named, so that setting it at every start changes nothing. */
  every(name: string, everyMs: number, action: string, ...args: unknown[]): string;
  /** Runs an action by a cron expression of five fields. @throws ActrError `schedule.invalid` for an expression or zone that is none. */
  cron(
    options: CronOptions & { readonly name: string; readonly expression: string },
    action: string,
    ...args: unknown[]
  ): string;
  /** By id or name. */
  get(idOrName: string): Schedule | undefined;
  /** All, by the time when they are due. */
  list(): readonly Schedule[];
  /** By id or name; false when there is none. */
  cancel(idOrName: string): boolean;
  /** The last runs, the latest first; of one schedule, by id or name, or of all. Of each the last 100 are kept, of the actor the last 1000. */
  history(idOrName?: string, options?: HistoryOptions): Promise<readonly ScheduleRun[]>;
}

/** Which run of a schedule this is. */
export interface ScheduleFire {
  readonly scheduleId: string;
  readonly name: string | undefined;
  /** When it was due, Unix milliseconds. */
  readonly dueAt: number;
  /** The same for every try of one run. */
  readonly fireId: string;
  /** 1 for the first try. */
  readonly attempt: number;
}
