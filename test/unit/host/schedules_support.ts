import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { actor } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import type { RecordEntry, StoreChange } from "../../../src/ports/store.ts";
import { Rig } from "./support.ts";

/** A store of memory that tells what was committed, and how much was read of the index of schedules. */
export class WatchedStore extends MemoryStore {
  readonly commits: (readonly StoreChange[])[] = [];
  linesRead = 0;

  override commit(changes: readonly StoreChange[]): Promise<void> {
    this.commits.push(changes);
    return super.commit(changes);
  }

  override async records(space: string, after: string, limit: number): Promise<RecordEntry[]> {
    const entries = await super.records(space, after, limit);
    if (space === "alarms") this.linesRead += entries.length;
    return entries;
  }
}

/** What each change does, in a few words. */
export function told(changes: readonly StoreChange[] = []): string[] {
  return changes.map((change) => {
    if (change.kind !== "record.put" && change.kind !== "record.delete") return change.kind;
    const part = change.space.split(":")[0] ?? "";
    return `${change.kind} ${part}${part === "actor" ? ` ${change.key[0]}` : ""}`;
  });
}

/** An actor whose schedules tests drive: `ran` is what its scheduled actions did, as far as that is on disk. */
export const planner = actor({
  state: () => ({
    ran: [] as { label: unknown; fireId: string; dueAt: number; attempt: number }[],
  }),
  actions: {
    after: (c, ms: number, label: string) => c.schedule.after(ms, "run", label),
    at: (c, at: number, ...args: unknown[]) => c.schedule.at(at, "run", ...args),
    set: (c, options: { at: number; name?: string; maxRetries?: number }, action: string) =>
      c.schedule.set(options, action, options.name),
    every: (c, name: string, ms: number, label = name) => c.schedule.every(name, ms, "run", label),
    cron: (c, name: string, expression: string, timeZone: string) =>
      c.schedule.cron({ name, expression, timeZone }, "run", name),
    list: (c) => c.schedule.list(),
    get: (c, name: string) => c.schedule.get(name),
    cancel: (c, name: string) => c.schedule.cancel(name),
    history: (c, name?: string, limit?: number) =>
      c.schedule.history(name, limit === undefined ? {} : { limit }),
    rest: (c) => c.sleep(),
    end: (c) => c.destroy(),
    id: (c) => c.actorId,
    ran: (c) => c.state.ran,
    run(c, ...args: unknown[]) {
      const { fireId = "", dueAt = 0, attempt = 0 } = c.fire ?? {};
      c.state.ran.push({ label: args.length === 1 ? args[0] : args, fireId, dueAt, attempt });
    },
    fail(): never {
      throw new ActrError("unavailable", "not now");
    },
  },
});

/** A time that cron expressions are read at easily: 2026-01-01T00:00:00Z. */
export const newYear = Date.UTC(2026, 0, 1);

/** A rig of {@link planner} over a store that is watched. */
export function plannerRig(): { readonly rig: Rig; readonly store: WatchedStore } {
  const store = new WatchedStore();
  return { rig: new Rig({ planner }, { store, clock: new FakeClock(newYear) }), store };
}
