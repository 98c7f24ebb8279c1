import type { ErrorCode } from "../../src/errors.ts";
import type { Durability } from "../../src/options.ts";
import type { SqlRow, SqlStatement } from "../../src/ports/sql_driver.ts";

/** The file that a worker is to open, as its `workerData`. */
export interface WorkerFile {
  readonly path: string;
  readonly durability: Durability;
}

/** Work for a driver in a worker. */
export type WorkerTask =
  | { readonly kind: "run" | "all"; readonly statement: SqlStatement }
  | {
      readonly kind: "batch";
      readonly statements: readonly SqlStatement[];
      readonly guard: SqlStatement | undefined;
    }
  | { readonly kind: "close" };

/** An ActrError as it crosses a thread. */
export interface WorkerFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
}

/** What a worker says: first how the opening went, then how each task did, in their order. */
export type WorkerReport =
  | { readonly kind: "opened"; readonly name: string }
  | { readonly kind: "done"; readonly rows: SqlRow[] | undefined }
  | { readonly kind: "failed"; readonly failure: WorkerFailure };
