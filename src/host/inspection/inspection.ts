import type { ActionContext, ScheduleRun, Sql } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { RecordEntry, Store } from "../../ports/store.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import type { ActorHost } from "../actor_host.ts";
import { readConnection } from "../connections/connection_row.ts";
import {
  type ActorRecord,
  actorRecordOf,
  actorSpace,
  actorStateOf,
  valueSpace,
} from "../contents.ts";
import type { ActorKind } from "../host_components.ts";
import type { Instance } from "../instance.ts";
import type { InstanceState } from "../lifecycle.ts";
import { type QueueRow, readMessage } from "../queues/queue_row.ts";
import { listRuns } from "../schedules/schedule_history.ts";
import { readSchedule, type ScheduleRow } from "../schedules/schedule_row.ts";
import { type Answer, asPromise } from "../turns/command.ts";
import type { WorkflowHistory } from "../workflow/history.ts";
import { readWorkflow } from "../workflow/stored.ts";
import { historyOf } from "../workflow/view.ts";
import type { TracePage, TraceQuery } from "./inspection_trace.ts";
import type { Watcher } from "./inspection_watch.ts";

/** One client of an actor. */
export interface ConnectionView {
  readonly id: string;
  readonly params: unknown;
  readonly state: unknown;
  /** Names of the events that it subscribed to. */
  readonly events: readonly string[];
  readonly hibernates: boolean;
}

/** Messages of an actor that are not completed, in the order of their arrival. */
export interface QueueView {
  /** Of all of them. */
  readonly size: number;
  readonly maxSize: number;
  /** Whether there are more than are shown. */
  readonly truncated: boolean;
  readonly messages: readonly QueueRow[];
}

/** Where to look for actors. */
export interface InspectionParts {
  readonly host: ActorHost;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A client of an actor that sleeps. */
function hibernating(entry: RecordEntry): ConnectionView {
  return { ...readConnection(entry), hibernates: true };
}

/** A copy of what a client's part of an actor holds, which may be more than data. */
function shown(value: unknown): unknown {
  try {
    return decodeCbor(encodeCbor(value));
  } catch {
    return "(no data)";
  }
}

/** Clients that are shown of an actor that sleeps. */
const maxConnections = 1000;

/** Entries that are counted at once. */
const countPage = 1000;

/**
 * Looks into one actor without waking it: what is durable is read from the store, the rest of the instance, if it is
 * awake. What changes something goes through a turn, and wakes it.
 */
export class ActorInspection {
  readonly id: string;
  readonly record: ActorRecord;
  readonly #parts: InspectionParts;

  private constructor(parts: InspectionParts, id: string, record: ActorRecord) {
    this.#parts = parts;
    this.id = id;
    this.record = record;
  }

  /** @throws ActrError `actor.not_found`. */
  static async open(parts: InspectionParts, id: string): Promise<ActorInspection> {
    const awake = parts.host.instance(id);
    const record = awake?.record ?? (await actorRecordOf(parts.store, id));
    if (record !== undefined) return new ActorInspection(parts, id, record);
    throw new ActrError("actor.not_found", `there is no actor ${id}`);
  }

  /** @throws ActrError `actor.not_registered` for one that an earlier version of the app has left. */
  get kind(): ActorKind {
    return this.#parts.host.kind(this.record.name);
  }

  /** Where it is in its life. */
  get lifecycle(): InstanceState | "asleep" {
    return this.instance?.state ?? "asleep";
  }

  /** It, if it is awake. */
  get instance(): Instance | undefined {
    return this.#parts.host.instance(this.id);
  }

  /** Whether it has a state at all. */
  get hasState(): boolean {
    return this.kind.definition.state !== undefined;
  }

  /** Names of its actions. */
  get actions(): string[] {
    return Object.keys(this.kind.definition.actions);
  }

  /** The state now, CBOR; undefined when it has none. */
  async encodedState(): Promise<Uint8Array | undefined> {
    if (!this.hasState) return undefined;
    return this.instance?.encodedState() ?? (await actorStateOf(this.#parts.store, this.id));
  }

  /** Replaces the state, in a turn of its own; resolves when it is on disk. @throws ActrError `actor.not_configured`, `actor.unsupported_value`. */
  async setState(state: unknown): Promise<void> {
    if (!this.hasState) {
      throw new ActrError("actor.not_configured", `actor ${this.record.name} has no state`);
    }
    await this.#inTurn("inspector.set_state", (c) => {
      c.state = state;
    });
  }

  /** Runs an action for an operator: it has no connection. Resolves with its output, CBOR. @throws ActrError what it throws. */
  act(name: string, args: readonly unknown[]): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const answer: Answer = {
        take(output) {
          const bytes = encodeCbor(output);
          return () => resolve(bytes);
        },
        fail: reject,
      };
      this.#parts.host.act({ id: this.id }, { name, args, answer });
    });
  }

  /** Tells of its changes, until the function returned is called. */
  watch(watcher: Watcher): () => void {
    return this.#parts.host.watch(this.id, watcher);
  }

  /** Turns that have ended while somebody looked. */
  turns(query: TraceQuery): TracePage {
    return this.#parts.host.watchOf(this.id)?.trace.find(query) ?? { turns: [], clamped: false };
  }

  /** Its clients; of one that sleeps, those that hibernate with it. */
  async connections(): Promise<ConnectionView[]> {
    const { instance } = this;
    if (instance === undefined) return (await this.#rows("c:", maxConnections)).map(hibernating);
    return [...instance.connections.all.values()].map((conn) => ({
      id: conn.id,
      params: shown(conn.params),
      state: shown(conn.state),
      events: instance.connections.eventsOf(conn),
      hibernates: conn.hibernates,
    }));
  }

  /** The first messages of all queues. */
  async queue(limit: number): Promise<QueueView> {
    const { maxQueueSize: maxSize } = this.kind.options;
    const found = await this.#rows("q:", limit + 1);
    const truncated = found.length > limit;
    const size = truncated ? await this.#count("q:") : found.length;
    return { size, maxSize, truncated, messages: found.slice(0, limit).map(readMessage) };
  }

  /** How many messages are not completed. */
  async queueSize(): Promise<number> {
    return await this.#count("q:");
  }

  /** Its schedules, by the time at which they are tried next. */
  async schedules(): Promise<ScheduleRow[]> {
    const rows = await this.#rows("t:", this.kind.options.maxSchedules);
    return rows.map(readSchedule).sort((a, b) => a.nextAt - b.nextAt);
  }

  /** The last runs of its schedules, the latest first. */
  async runs(limit: number): Promise<ScheduleRun[]> {
    await this.#flushed();
    return await listRuns(this.#parts.store, this.id, undefined, limit);
  }

  /** Its own keys and values, after `after`. */
  async values(after: string, limit: number): Promise<{ key: string; value: unknown }[]> {
    await this.#flushed();
    const entries = await this.#parts.store.records(valueSpace(this.id), after, limit);
    return entries.map(({ key, value }) => ({ key, value: decodeCbor(value) }));
  }

  /** Whether what goes on by itself in it is a workflow. */
  get hasWorkflow(): boolean {
    return typeof this.kind.definition.run === "object";
  }

  /** What its workflow has done; undefined when it runs none. */
  async workflow(): Promise<WorkflowHistory | undefined> {
    if (!this.hasWorkflow) return undefined;
    if (this.instance?.workflow !== undefined) return this.instance.workflow.history();
    const { workflow, entries } = await readWorkflow(this.#parts.store, this.id);
    const rows = entries.map(({ row }) => row);
    return historyOf(workflow ?? { state: "pending", lastSeq: 0 }, rows);
  }

  /** Runs its workflow again, from an entry or its beginning; undefined when it runs none. @throws ActrError as `WorkflowInspection.replay`. */
  async replay(fromEntry: string | undefined): Promise<WorkflowHistory | undefined> {
    if (!this.hasWorkflow) return undefined;
    const { workflow } = await this.#parts.host.wake({ id: this.id });
    return await workflow?.replay(fromEntry);
  }

  /** Whether it has a database. */
  get hasDatabase(): boolean {
    return this.kind.definition.sql !== undefined;
  }

  /** Does something with its database, in a turn of its own. @throws ActrError `sqlite.*`. */
  async inDatabase<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return (await this.#inTurn("inspector.database", (c) => work(c.sql))) as T;
  }

  #inTurn(name: string, handler: (c: ActionContext) => unknown): Promise<unknown> {
    return asPromise((answer) =>
      this.#parts.host.act({ id: this.id }, { name, args: [], answer, handler }),
    );
  }

  /** Rows of one kind. */
  async #rows(prefix: string, limit: number, after = prefix): Promise<RecordEntry[]> {
    await this.#flushed();
    const entries = await this.#parts.store.records(actorSpace(this.id), after, limit);
    return entries.filter(({ key }) => key.startsWith(prefix));
  }

  async #count(prefix: string): Promise<number> {
    let count = 0;
    for (let after: string | undefined = prefix; after !== undefined; ) {
      const rows: RecordEntry[] = await this.#rows(prefix, countPage, after);
      count += rows.length;
      after = rows.length < countPage ? undefined : rows.at(-1)?.key;
    }
    return count;
  }

  /** What its turns did is on disk; where that fails, so is what was there before. */
  async #flushed(): Promise<void> {
    await this.instance?.gate.flushed().catch(() => {});
  }
}
