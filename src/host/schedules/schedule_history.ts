import type { ScheduleRun } from "../../actor.ts";
import type { RecordEntry, Store } from "../../ports/store.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { actorSpace, runsSpace } from "../contents.ts";
import type { Instance } from "../instance.ts";

/** Runs that are remembered of one schedule, and of one actor (`spec/actor-host.md` §11.4, smaller). */
export const maxRunsPerSchedule = 100;
const maxRunsPerActor = 1000;

/** Key in the actor's space of the number of its last run; it stands among the schedules. */
export const lastRunKey = "t!";

const slotDigits = 3;

interface StoredRun extends ScheduleRun {
  /** Ascends from run to run of the actor, from 1. */
  readonly number: number;
}

/** The last runs of one actor's schedules: a ring of rows, each written in the commit of what its run changed. */
export class ScheduleHistory {
  readonly #instance: Instance;
  #last = 0;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** Takes what is stored under {@link lastRunKey}. */
  restore({ value }: RecordEntry): void {
    this.#last = decodeCbor(value) as number;
  }

  /** Adds a run to the next save. Takes and returns the numbers of the runs of its schedule that are remembered. */
  record(run: ScheduleRun, known: readonly number[]): readonly number[] {
    const { id, saving } = this.#instance;
    this.#last += 1;
    const number = this.#last;
    const space = runsSpace(id);
    const value = encodeCbor({ ...run, number } satisfies StoredRun);
    saving.add(
      { kind: "record.put", space, key: slotOf(number), value },
      { kind: "record.put", space: actorSpace(id), key: lastRunKey, value: encodeCbor(number) },
    );
    // Older ones have been written over.
    const kept = [...known.filter((each) => each > number - maxRunsPerActor), number];
    if (kept.length > maxRunsPerSchedule) {
      saving.add({ kind: "record.delete", space, key: slotOf(kept.shift() as number) });
    }
    return kept;
  }

  /** The last runs, the latest first; of one schedule, by id or name. */
  async list(idOrName: string | undefined, limit: number): Promise<ScheduleRun[]> {
    const { id, components } = this.#instance;
    return await listRuns(components.store, id, idOrName, limit);
  }
}

/** The last runs of an actor's schedules, the latest first; of one schedule, by id or name. */
export async function listRuns(
  store: Store,
  actorId: string,
  idOrName: string | undefined,
  limit: number,
): Promise<ScheduleRun[]> {
  const entries = await store.records(runsSpace(actorId), "", maxRunsPerActor);
  const runs = entries.map(({ value }) => decodeCbor(value) as StoredRun);
  const wanted = runs.filter(
    ({ scheduleId, name }) =>
      idOrName === undefined || scheduleId === idOrName || name === idOrName,
  );
  wanted.sort((a, b) => b.number - a.number);
  return wanted.slice(0, limit).map(({ number: _, ...run }) => run);
}

function slotOf(number: number): string {
  return (number % maxRunsPerActor).toString().padStart(slotDigits, "0");
}
