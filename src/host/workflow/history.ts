/** What a workflow can be made of (`spec/actor-host.md` §16.4). */
export type EntryKind =
  | "step"
  | "loop"
  | "sleep"
  | "message"
  | "join"
  | "race"
  | "rollback_checkpoint"
  | "removed"
  | "version_check";

/** Where a workflow, or one entry of it, is (`spec/actor-host.md` §16.4). */
export type EntryState =
  /** Not begun: it waits for its turn, or for its next try. */
  | "pending"
  | "running"
  /** It waits for a time, or for a message. */
  | "sleeping"
  /** It has failed for good. */
  | "failed"
  | "completed"
  /** Another branch of its race won, or a rollback has undone it. */
  | "cancelled"
  /** What it did is being undone. */
  | "rolling_back";

/** One part of a location: a name, or one iteration of a loop. */
export type LocationSegment = string | { readonly loop: string; readonly iteration: number };

/** A failure as it is kept. */
export interface RecordedError {
  readonly code: string;
  readonly message: string;
}

/** One branch of a join or a race. */
export interface BranchView {
  readonly name: string;
  readonly state: EntryState;
  readonly output?: unknown;
  readonly error?: RecordedError;
}

/** What only entries of one kind have. */
export type EntryDetail =
  | { readonly kind: "step"; readonly output?: unknown }
  | {
      readonly kind: "loop";
      readonly iteration: number;
      readonly state: unknown;
      readonly output?: unknown;
    }
  /** Unix milliseconds. */
  | { readonly kind: "sleep"; readonly deadline: number }
  | {
      readonly kind: "message";
      /** None until a message came, or when none came in time. */
      readonly message?: {
        readonly id: string;
        readonly queue: string;
        readonly body: unknown;
        /** Unix milliseconds. */
        readonly sentAt: number;
      };
    }
  | { readonly kind: "join"; readonly branches: readonly BranchView[] }
  | {
      readonly kind: "race";
      readonly branches: readonly BranchView[];
      readonly winner: string | undefined;
    }
  | { readonly kind: "rollback_checkpoint" }
  | { readonly kind: "removed"; readonly originalKind: EntryKind }
  | { readonly kind: "version_check"; readonly resolved: number; readonly latest: number };

/** One entry of a workflow's history. Times are Unix milliseconds. */
export interface HistoryEntry {
  /** Unique in its actor; what a replay names. */
  readonly id: string;
  /** From the root to the entry, whose name is last. */
  readonly location: readonly LocationSegment[];
  readonly state: EntryState;
  readonly detail: EntryDetail;
  /** Tries that were begun. */
  readonly attempts: number;
  readonly createdAt: number;
  /** When the last try began. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** When it goes on by itself, if it waits for a time. */
  readonly wakesAt: number | undefined;
  /** Why it has failed, or why its last try has. */
  readonly error: RecordedError | undefined;
  /** When what it did was undone, or why that failed. */
  readonly rolledBackAt: number | undefined;
  readonly rollbackError: RecordedError | undefined;
}

/** A workflow as it is on disk, or about to be. */
export interface WorkflowHistory {
  readonly state: EntryState;
  /** What it returned. */
  readonly output: unknown;
  readonly error: RecordedError | undefined;
  /** By creation. */
  readonly entries: readonly HistoryEntry[];
}

/**
 * What an inspector may do with the workflow of an actor that is awake: its instance's `workflow`. Each change of the
 * history is one of the part `workflow` of who watches the instance.
 */
export interface WorkflowInspection {
  history(): WorkflowHistory;
  /**
   * Forgets an entry and all that came after it, or everything, and runs the workflow from there; inside a loop, from
   * the beginning of the outermost one. Resolves with what is left when that is on disk.
   * @throws ActrError `actor.workflow_in_flight` while a step runs; `workflow.entry_not_found`.
   */
  replay(fromEntry?: string): Promise<WorkflowHistory>;
}
