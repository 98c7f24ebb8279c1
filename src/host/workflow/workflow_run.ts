import { ActrError } from "../../errors.ts";
import type { Timer } from "../../ports/clock.ts";
import type { WorkflowDefinition, WorkflowLimits } from "../../workflow.ts";
import type { Instance } from "../instance.ts";
import type { StopReason } from "../lifecycle.ts";
import { cutFrom } from "./cut.ts";
import type { WorkflowHistory, WorkflowInspection } from "./history.ts";
import { Journal } from "./journal.ts";
import { Life, type LifeOwner, type OpenScope } from "./life.ts";
import { rollBack } from "./rollback.ts";
import { type Place, recorded, type WorkflowRow } from "./rows.ts";
import { Scope } from "./scope.ts";
import type { Strand } from "./strand.ts";
import { historyOf } from "./view.ts";

const defaultLimits: WorkflowLimits = {
  maxEntries: 10_000,
  maxHistoryBytes: 16_777_216,
  maxOutputBytes: 1_048_576,
};
/** A workflow whose code cannot go on is tried again so often, milliseconds: a newer version may. */
const haltedMs = 300_000;

/**
 * The workflow of one actor: begun when the actor wakes, left where it is when that falls asleep. While all of it waits
 * the actor may sleep; while some of it goes on, a line in the node's index of alarms wakes the actor again whatever
 * ends its process.
 */
export class WorkflowRun implements WorkflowInspection, LifeOwner {
  readonly #instance: Instance;
  readonly #definition: WorkflowDefinition;
  readonly #journal: Journal;
  readonly #expect: (atMs: number) => void;
  #life: Life | undefined;
  /** Whether it is counted as work of the actor. */
  #works = false;
  #retry: Timer | undefined;

  /** @param expect tells the host when the actor is to be woken, Unix milliseconds. */
  constructor(instance: Instance, definition: WorkflowDefinition, expect: (atMs: number) => void) {
    this.#instance = instance;
    this.#definition = definition;
    this.#expect = expect;
    const limits = { ...defaultLimits, ...definition.limits };
    this.#journal = new Journal(instance, limits, expect);
  }

  /** Reads what is stored. */
  async restore(): Promise<void> {
    await this.#journal.restore();
  }

  /** Goes on where it was, unless it has ended. */
  start(): void {
    this.#instance.stopping.addEventListener("abort", () => this.#leave());
    if (isEnded(this.#journal.workflow)) this.#noMessages();
    else this.#begin();
  }

  history(): WorkflowHistory {
    return historyOf(this.#journal.workflow, this.#journal.entries);
  }

  async replay(fromEntry?: string): Promise<WorkflowHistory> {
    this.#instance.stopping.throwIfAborted();
    if (this.#works) {
      const message = "a step of the workflow runs; replay it when it waits, or has ended";
      throw new ActrError("actor.workflow_in_flight", message);
    }
    const journal = this.#journal;
    if (fromEntry !== undefined) cutFrom(journal, fromEntry);
    else {
      journal.drop(journal.entries);
      journal.set({ checkpoint: undefined });
    }
    this.#life?.end(() => {});
    journal.set({ state: "pending", output: undefined, error: undefined, halted: undefined });
    const left = this.history();
    this.#begin();
    journal.save();
    await this.#instance.gate.flushed();
    return left;
  }

  rests(wakesAt: number | undefined): void {
    const { state, wakesAt: before } = this.#journal.workflow;
    if (!this.#works && before === wakesAt) return;
    this.#journal.set({ state: state === "rolling_back" ? state : "sleeping", wakesAt });
    this.#journal.save();
    this.#noMessages();
    this.#endWork();
  }

  goesOn(): void {
    this.#beginWork();
    const { state } = this.#journal.workflow;
    this.#journal.set({
      state: state === "rolling_back" ? state : "running",
      wakesAt: this.#journal.now,
    });
  }

  halted(error: unknown): void {
    this.#instance.report(error, "run");
    const wakesAt = this.#journal.now + haltedMs;
    this.#retry = this.#instance.components.clock.timer(wakesAt, () => this.#begin());
    // What is being undone goes on to be, and keeps why.
    const isRolling = this.#journal.workflow.state === "rolling_back";
    const failure = isRolling ? {} : { state: "failed" as const, error: recorded(error) };
    this.#end({ ...failure, halted: true, wakesAt });
  }

  /** Before a stop: what goes on is gone on with at once, in another life. */
  settle(reason: StopReason): void {
    if (reason === "destroy") return this.#journal.set({ wakesAt: undefined });
    const { wakesAt } = this.#journal.workflow;
    if (wakesAt !== undefined) this.#expect(wakesAt);
  }

  close(): void {
    this.#retry?.cancel();
    this.#life?.end(() => {});
  }

  #begin(): void {
    this.#retry?.cancel();
    const life = new Life(this.#instance, this.#journal, openScope, this);
    this.#life = life;
    const { state } = this.#journal.workflow;
    const rolling = state === "rolling_back";
    this.#beginWork();
    const wakesAt = this.#journal.now;
    if (rolling) this.#journal.set({ wakesAt, halted: undefined });
    else this.#journal.set({ state: "running", wakesAt, error: undefined, halted: undefined });
    // What was never begun has nothing that wakes it yet.
    if (state === "pending") this.#journal.save();
    // What is left of the code's way to its failure may be less than it was.
    if (rolling) void life.root.stopped.then(() => this.#rollBack(life));
    void this.#main(life);
  }

  async #main(life: Life): Promise<void> {
    const scope = life.open(life.root, { parent: 0, branch: "" });
    let output: Uint8Array;
    try {
      output = this.#journal.encode(await this.#definition.workflow(scope));
    } catch (error) {
      return await this.#failed(life, error);
    }
    await scope.ended();
    this.#end({ state: "completed", output, wakesAt: undefined });
  }

  async #failed(life: Life, error: unknown): Promise<void> {
    if (life.isOver) return;
    if (this.#journal.workflow.state !== "rolling_back") {
      this.#instance.report(error, "run");
      this.#journal.set({ state: "rolling_back", error: recorded(error) });
    }
    await this.#rollBack(life);
  }

  async #rollBack(life: Life): Promise<void> {
    if (life.isOver) return;
    await rollBack(life);
    this.#end({ state: "failed", wakesAt: undefined });
  }

  #end(end: Partial<WorkflowRow>): void {
    this.#life?.end(() => {});
    this.#journal.set(end);
    this.#journal.save();
    this.#noMessages();
    this.#endWork();
  }

  /** The actor stops. */
  #leave(): void {
    this.#retry?.cancel();
    this.#life?.end(() => this.#endWork());
  }

  /** What lies in the queues is not waited for by anybody who is not there. */
  #noMessages(): void {
    if (this.#instance.kind.definition.queues !== undefined) this.#instance.queues.runRests();
  }

  #beginWork(): void {
    if (this.#works) return;
    this.#works = true;
    if (this.#instance.kind.definition.queues !== undefined) this.#instance.queues.runGoesOn();
    this.#instance.work.begin("run");
  }

  #endWork(): void {
    if (!this.#works) return;
    this.#works = false;
    this.#instance.work.end("run");
  }
}

function openScope(life: Life, strand: Strand, place: Place): OpenScope {
  return new Scope(life, strand, place);
}

function isEnded({ state, halted }: WorkflowRow): boolean {
  return halted !== true && (state === "completed" || state === "failed" || state === "cancelled");
}
