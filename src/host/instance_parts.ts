import type { ActorKey } from "../actor.ts";
import type { ActrError } from "../errors.ts";
import type { Logger } from "../ports/logger.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";
import { InstanceContext } from "./actor_context.ts";
import { Connections } from "./connections/connections.ts";
import { type ActorRecord, actorSpace } from "./contents.ts";
import type { ActorKind, HostComponents } from "./host_components.ts";
import type { Instance } from "./instance.ts";
import type { InstanceInit, InstanceOwner } from "./instance_owner.ts";
import type { StopReason } from "./lifecycle.ts";
import { OutputGate } from "./output_gate.ts";
import { ActorMessages } from "./queues/actor_messages.ts";
import { ActorSchedules } from "./schedules/actor_schedules.ts";
import { type ActorSql, openSql } from "./sql/actor_sql.ts";
import { ActorValues } from "./state/key_values.ts";
import { Saving } from "./state/saving.ts";
import { StateChanges } from "./state/state_changes.ts";
import { Actions } from "./turns/actions.ts";
import { Requests } from "./turns/requests.ts";
import { RunLoop } from "./turns/run_loop.ts";
import { Work } from "./turns/work.ts";
import { WorkflowRun } from "./workflow/workflow_run.ts";

/** What one actor in memory is made of. What many actors never need is made when it is asked for. */
export abstract class InstanceParts {
  readonly id: string;
  readonly record: ActorRecord;
  readonly kind: ActorKind;
  readonly components: HostComponents;
  readonly saving: Saving;
  readonly work: Work;
  readonly gate: OutputGate;
  readonly actions: Actions;
  vars: unknown;
  protected readonly owner: InstanceOwner;
  #log: Logger | undefined;
  #context: InstanceContext | undefined;
  #values: ActorValues | undefined;
  #sql: ActorSql | undefined;
  #schedules: ActorSchedules | undefined;
  #queues: ActorMessages | undefined;
  #requests: Requests | undefined;
  #connections: Connections | undefined;
  #runLoop: RunLoop | undefined;
  #workflow: WorkflowRun | undefined;
  #stopping: AbortController | undefined;
  /** Set when it begins to stop. */
  #stopReason: (() => ActrError) | undefined;

  constructor({ id, record, kind, components, owner }: InstanceInit) {
    this.id = id;
    this.record = record;
    this.kind = kind;
    this.components = components;
    this.owner = owner;
    this.gate = new OutputGate(components, this.instance());
    this.actions = new Actions(this.instance());
    this.saving = new Saving(
      {
        clock: components.clock,
        gate: this.gate,
        space: actorSpace(id),
        turns: this.actions.turns,
        actor: this,
        watcher: kind.definition.onStateChange && new StateChanges(this.instance()),
      },
      { intervalMs: kind.options.saveIntervalMs },
    );
    this.work = new Work(this.instance());
  }

  /** The instance that these are parts of. */
  protected abstract instance(): Instance;

  get key(): ActorKey {
    return this.record.key;
  }

  get log(): Logger {
    this.#log ??= this.components.log.with({ actor: this.kind.name, actor_id: this.id });
    return this.#log;
  }

  /** What its hooks and `run` are given. */
  get context(): InstanceContext {
    this.#context ??= new InstanceContext(this.instance());
    return this.#context;
  }

  /** Its own keys and values. */
  get values(): ActorValues {
    this.#values ??= new ActorValues(this.components.store, this.id, this.saving);
    return this.#values;
  }

  /** Its own database. @throws ActrError `sqlite.not_configured`. */
  get sql(): ActorSql {
    this.#sql ??= openSql(this.instance());
    return this.#sql;
  }

  get schedules(): ActorSchedules {
    this.#schedules ??= new ActorSchedules(this.instance(), this.owner.expect);
    return this.#schedules;
  }

  get queues(): ActorMessages {
    this.#queues ??= new ActorMessages(this.instance(), this.owner.expect);
    return this.#queues;
  }

  /** Requests of other nodes. */
  get requests(): Requests {
    this.#requests ??= new Requests(this.instance());
    return this.#requests;
  }

  get connections(): Connections {
    this.#connections ??= new Connections(this.instance());
    return this.#connections;
  }

  /** What goes on by itself in it, if that is a workflow. */
  get workflow(): WorkflowRun | undefined {
    const { run } = this.kind.definition;
    if (typeof run !== "object") return undefined;
    this.#workflow ??= new WorkflowRun(this.instance(), run, this.owner.expect);
    return this.#workflow;
  }

  /** Aborted when it begins to stop. */
  get stopping(): AbortSignal {
    if (this.#stopping !== undefined) return this.#stopping.signal;
    this.#stopping = new AbortController();
    if (this.#stopReason !== undefined) this.#stopping.abort(this.#stopReason());
    return this.#stopping.signal;
  }

  /** It begins to stop, or ends at once; most have nobody who would hear of it, and then nothing is made. */
  abort(reason: () => ActrError): void {
    this.#stopReason ??= reason;
    this.#stopping?.abort(reason());
  }

  encodedState(): Uint8Array<ArrayBuffer> {
    return encodeCbor(this.saving.rawState);
  }

  /** Whether a client is connected whom sleep would cut off. */
  get isVisited(): boolean {
    return this.#connections?.keepsAwake === true;
  }

  /** What goes on by itself while it is awake, what is due, and clients that stayed. */
  protected beginParts(): void {
    this.workflow?.start();
    if (typeof this.kind.definition.run === "function") {
      this.#runLoop = new RunLoop(this.instance());
      this.#runLoop.start();
    }
    this.#schedules?.fire();
    this.#connections?.begin();
  }

  /** Ends their timers, and answers with `error` whoever still waits. */
  protected closeParts(error: ActrError): void {
    this.actions.turns.close(error);
    this.work.close(error);
    this.saving.close();
    this.#queues?.close();
    this.#runLoop?.close();
    this.#workflow?.close();
  }

  /** Closes its database; a transaction that goes on is rolled back. */
  async closeSql(): Promise<void> {
    await this.#sql?.close();
  }

  /** Cuts off the clients that do not stay. */
  endConnections(reason: StopReason): void {
    this.#connections?.endFor(reason);
  }

  /** Its clients stay, while it sleeps. */
  protected hibernateConnections(): void {
    this.#connections?.hibernate();
  }

  /** Cuts off every client at once. */
  protected cutConnections(): void {
    this.#connections?.cut();
  }
}
