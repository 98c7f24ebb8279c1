import { ActrError } from "../../errors.ts";
import type { StepPolicy } from "../../workflow.ts";
import { Attempt, type AttemptPlan } from "./attempt.ts";
import type { Life } from "./life.ts";
import { type EntryRow, recorded, thrown } from "./rows.ts";
import { never, type Strand } from "./strand.ts";

/** How a step runs, and what it does. */
export interface StepPlan extends StepPolicy {
  readonly turn?: "exclusive" | "interleaved" | undefined;
  readonly run: (c: never) => unknown;
}

/** Crashes during a step after which it counts as their cause. */
const maxInterruptions = 10;

/** What a policy leaves open. */
export const defaultPolicy: Required<StepPolicy> = {
  maxRetries: 3,
  retryDelayMs: 100,
  maxRetryDelayMs: 30_000,
  timeoutMs: 30_000,
  retryOnTimeout: false,
};

/** Runs one step until it is done, and its result on disk. @throws ActrError what its last try failed with. */
export async function runStep(
  life: Life,
  strand: Strand,
  { seq }: EntryRow,
  plan: StepPlan,
): Promise<void> {
  const { journal } = life;
  const entry = (): EntryRow => journal.entry(seq) as EntryRow;
  if (entry().interruptions > maxInterruptions) giveUp(life, entry());
  while (entry().state !== "completed" && entry().state !== "failed") {
    await strand.until(entry().wakesAt ?? 0);
    if (life.isOver) return await never();
    const { policy, ...rest } = stepTry(life, entry, plan);
    const counts = await attempt(life, strand, { ...rest, timeoutMs: policy.timeoutMs });
    if (!counts) return await never();
  }
  await journal.saved();
  const { error } = entry();
  if (error !== undefined) throw thrown(error);
}

/** Runs one try; false when nothing of it counts. */
export function attempt(
  life: Life,
  strand: Strand,
  plan: Omit<AttemptPlan, "signal" | "ended">,
): Promise<boolean> {
  const ended = life.track();
  return new Promise((resolve) => {
    let counts = true;
    const abandoned = (): void => {
      counts = false;
      plan.abandoned();
    };
    const onEnd = (): void => {
      ended();
      resolve(counts);
    };
    const { signal } = strand;
    new Attempt(life.instance, { ...plan, abandoned, signal, ended: onEnd }).enter();
  });
}

/** Whether an error is of no use to try again after. */
export function isFinal(error: unknown, { retryOnTimeout }: Required<StepPolicy>): boolean {
  const { code, kind } = ActrError.from(error);
  if (code === "workflow.step_timed_out") return !retryOnTimeout;
  return kind === "client" || kind === "corrupt";
}

/** Pause after so many tries have failed, milliseconds. */
export function pauseAfter(failures: number, policy: Required<StepPolicy>): number {
  const { retryDelayMs, maxRetryDelayMs } = policy;
  return Math.min(retryDelayMs * 2 ** Math.max(0, failures - 1), maxRetryDelayMs);
}

/** What happens to the entry of a step in one try. */
function stepTry(
  { journal, instance }: Life,
  entry: () => EntryRow,
  { run, turn = "exclusive", ...given }: StepPlan,
): Omit<AttemptPlan, "signal" | "ended" | "timeoutMs"> & {
  readonly policy: Required<StepPolicy>;
} {
  const policy = { ...defaultPolicy, ...given };
  const before = entry();
  const { name, seq, interruptions } = before;
  const isSuspect = interruptions > 0;
  let row = before;
  return {
    name,
    turn,
    policy,
    isSuspect,
    run,
    begins() {
      const attempts = before.attempts + 1;
      row = { ...before, state: "running", attempts, startedAt: journal.now, wakesAt: undefined };
      if (isSuspect) journal.put(row);
      return { attempt: attempts, idempotencyKey: `${instance.id}:${seq}` };
    },
    goesOn() {
      journal.put(row);
      journal.save();
    },
    done(value) {
      const output = journal.encode(value);
      const ended = { endedAt: journal.now, error: undefined, wakesAt: undefined };
      journal.put({ ...row, ...ended, state: "completed", output });
    },
    failed(cause) {
      const failures = row.attempts - interruptions;
      const final = isFinal(cause, policy) || failures > policy.maxRetries;
      const error = recorded(cause);
      instance.log.warn("workflow.step_failed", {
        step: name,
        attempt: row.attempts,
        error: cause,
      });
      const { now } = journal;
      const next = final
        ? { state: "failed" as const, endedAt: now, wakesAt: undefined }
        : { state: "pending" as const, wakesAt: now + pauseAfter(failures, policy) };
      journal.put({ ...row, error, output: undefined, ...next });
    },
    abandoned() {
      if (entry().state === "running") journal.put(before);
    },
  };
}

function giveUp({ journal }: Life, row: EntryRow): void {
  const text = `step ${row.name} was cut short ${maxInterruptions} times by the end of its process`;
  const error = recorded(new ActrError("workflow.step_interrupted", text));
  journal.change(row, { state: "failed", error, endedAt: journal.now });
}
