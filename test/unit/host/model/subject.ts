import { type AnyActor, actor, event, queue } from "../../../../src/actor.ts";
import { ActrError } from "../../../../src/errors.ts";
import type { Clock } from "../../../../src/ports/clock.ts";

/** One label where it stands in an actor's log. */
export interface Note {
  readonly id: string;
  readonly position: number;
  readonly label: string;
}

/** What an actor knows of itself. */
export interface Reading {
  readonly id: string;
  readonly log: readonly string[];
}

/** What the actor's code is told, and asked. */
export interface Surroundings {
  readonly clock: Clock;
  /** True in a share of the cases, as long as the world means ill. */
  chance(share: number): boolean;
  /** Something happened that must not. */
  violation(what: string): void;
  /** An actor's own code heard that this is on disk. */
  saved(note: Note): void;
}

/** Turns of one instance, as its handlers see them. */
class Monitor {
  readonly #violation: (what: string) => void;
  #exclusive = 0;
  #reads = 0;

  constructor(violation: (what: string) => void) {
    this.#violation = violation;
  }

  async exclusive<T>(handler: () => Promise<T>): Promise<T> {
    if (this.#exclusive + this.#reads > 0) this.#violation("an exclusive turn beside another");
    this.#exclusive += 1;
    return await handler().finally(() => {
      this.#exclusive -= 1;
    });
  }

  async read<T>(handler: () => Promise<T>): Promise<T> {
    if (this.#exclusive > 0) this.#violation("a read beside an exclusive turn");
    this.#reads += 1;
    return await handler().finally(() => {
      this.#reads -= 1;
    });
  }
}

interface State {
  readonly log: string[];
}

interface Writer {
  readonly actorId: string;
  readonly state: State;
  broadcast(name: "noted", payload: Note): void;
}

function note(c: Writer, label: string): Note {
  const { log } = c.state;
  const position = log.push(label) - 1;
  const noted = { id: c.actorId, position, label };
  c.broadcast("noted", noted);
  return noted;
}

function reading({ actorId: id, state }: Writer): Reading {
  return { id, log: [...state.log] };
}

const never = new Promise<never>(() => {});

/** An actor that keeps a log of everything that was asked of it, and whose hooks and handlers may fail or never end. */
export function subject({ clock, chance, violation, saved }: Surroundings): AnyActor {
  const hook = async (): Promise<void> => {
    if (chance(0.05)) throw new ActrError("unavailable", "a hook fails");
    if (chance(0.02)) await never;
    if (chance(0.1)) await pause();
  };
  const pause = (ms = 40): Promise<void> =>
    clock.sleep(ms, { signal: new AbortController().signal });
  return actor({
    state: async (): Promise<State> => {
      await hook();
      return { log: [] };
    },
    vars: () => new Monitor(violation),
    events: { noted: event<Note>() },
    queues: {
      jobs: queue<string>({ visibilityMs: 2000, maxAttempts: 1_000_000, retryDelayMs: 100 }),
      letters: queue<string>(),
    },
    options: {
      sleepAfterMs: 3000,
      sleepGraceMs: 2000,
      actionTimeoutMs: 5000,
      hookTimeoutMs: 500,
      wakeTimeoutMs: 1000,
      startTimeoutMs: 3000,
      saveIntervalMs: 200,
    },
    actionOptions: {
      look: { turn: "read" },
      peek: { turn: "interleaved" },
      beside: { turn: "interleaved" },
    },
    onCreate: hook,
    onWake: hook,
    onSleep: hook,
    onDestroy: hook,
    onBeforeConnect: hook,
    onConnect: hook,
    onDisconnect: hook,
    actions: {
      add: (c, label: string, ms: number) =>
        c.vars.exclusive(async () => {
          if (ms > 0) await pause(ms);
          c.kv.put("last", label);
          note(c, label);
          return reading(c);
        }),
      fail: (c, label: string) =>
        c.vars.exclusive(async () => {
          note(c, label);
          throw new ActrError("user.fails", "it is meant to");
        }),
      look: (c, ms: number) =>
        c.vars.read(async () => {
          const before = reading(c);
          if (ms > 0) await pause(ms);
          return before;
        }),
      last: (c) =>
        c.vars.exclusive(async () => {
          const last = await c.kv.get<string>("last");
          if (last !== undefined && !c.state.log.includes(last)) {
            violation(`kv has ${last}, and the log has not`);
          }
          return reading(c);
        }),
      peek: (c) => reading(c),
      async beside(c, label: string, ms: number) {
        if (ms > 0) await pause(ms);
        note(c, label);
        return reading(c);
      },
      save: (c, label: string) =>
        c.vars.exclusive(async () => {
          const noted = note(c, label);
          await c.saveState();
          saved(noted);
          if (chance(0.3)) await pause();
          return reading(c);
        }),
      later: (c, label: string, ms: number) =>
        c.vars.exclusive(async () => {
          const at = clock.now() + ms;
          c.schedule.set({ at, maxRetries: 1000, retryDelayMs: 100 }, "due", label);
          return reading(c);
        }),
      due: (c, label: string) =>
        c.vars.exclusive(async () => {
          if (chance(0.2)) throw new ActrError("unavailable", "a scheduled action fails");
          if (chance(0.2)) await pause();
          note(c, label);
        }),
      send: (c, queueName: "jobs" | "letters", label: string) =>
        c.vars.exclusive(async () => {
          c.queue.send(queueName, label);
          return reading(c);
        }),
      receive: (c) =>
        c.vars.exclusive(async () => {
          const letter = await c.queue.next({ names: ["letters"], timeoutMs: 0 });
          if (letter !== undefined) note(c, letter.body);
          return reading(c);
        }),
      hang: (c) => c.vars.exclusive(() => never),
      rest: (c) => c.sleep(),
      end(c) {
        c.destroy();
        return reading(c);
      },
    },
    async run(c) {
      for await (const job of c.queue.iterate({ names: ["jobs"], completable: true })) {
        if (chance(0.1)) throw new ActrError("unavailable", "run fails");
        if (chance(0.2)) await pause();
        if (chance(0.1)) {
          await job.retry();
          continue;
        }
        // A message may come again after what it did was saved, and before it was completed.
        if (!c.state.log.includes(job.body)) note(c, job.body);
        await job.complete();
      }
    },
  });
}
