import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { withinLimit } from "../time_limit.ts";
import type { UndoStack } from "./undo_stack.ts";

/** One step of a start. */
export interface StartStep {
  readonly name: string;
  readonly run?: (signal: AbortSignal) => void | Promise<void>;
  /** Undoes it, also when it was done only in part. */
  readonly undo?: () => void | Promise<void>;
}

/** Takes the steps of a start in order; what undoes them is put on `undo`. @throws what a step throws; the signal's reason. */
export async function runStart(
  steps: readonly StartStep[],
  undo: UndoStack,
  signal: AbortSignal,
): Promise<void> {
  for (const step of steps) {
    signal.throwIfAborted();
    // Before it runs: a step that fails half-way has something to undo, too.
    if (step.undo !== undefined) undo.push(step.name, step.undo);
    await step.run?.(signal);
  }
}

/** One step of a stop. */
export interface StopStep {
  readonly name: string;
  /** Share of the whole stop's time at whose end the step is no longer waited for, so that later ones have some too. */
  readonly until: number;
  readonly run: (signal: AbortSignal) => void | Promise<void>;
}

/** What a stop works with. */
export interface StopBounds {
  readonly clock: Clock;
  readonly log: Logger;
  /** One deadline for all steps. */
  readonly timeoutMs: number;
}

const nobody: AbortSignal = new AbortController().signal;

/** Takes the steps of a stop in order; one that fails or takes too long is logged, and the next begins. Never rejects. */
export async function runStop(
  steps: readonly StopStep[],
  { clock, log, timeoutMs }: StopBounds,
): Promise<void> {
  const since = clock.monotonic();
  for (const { name, until, run } of steps) {
    const ms = Math.max(0, timeoutMs * until - (clock.monotonic() - since));
    try {
      const limit = { what: name, ms, signal: nobody };
      await withinLimit(clock, limit, async (signal) => run(signal));
    } catch (error) {
      log.warn("node.stop_incomplete", { step: name, error });
    }
  }
}
