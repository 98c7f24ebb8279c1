import type { NodeContext } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { Hooks, LifecycleHook } from "../hooks.ts";
import type { Clock } from "../ports/clock.ts";
import { formatActrId } from "../protocol/ids.ts";
import { withinLimit } from "../time_limit.ts";

/** The log line of each lifecycle hook, with or without an observer (`spec/node.md` §11.1). */
const logged: Readonly<Record<LifecycleHook, string>> = {
  onStart: "node.start",
  onReady: "node.ready",
  onStop: "node.stop",
};

/** Bounds of a lifecycle hook; each observer has `timeoutMs`. */
export interface HookBounds {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Runs one lifecycle hook of all observers side by side and waits for all of them.
 * @throws ActrError what the one failed observer threw: `internal` when that is no ActrError, `timed_out`;
 * `internal` over the errors of several; the signal's reason.
 */
export async function runLifecycleHook(
  name: LifecycleHook,
  observers: readonly Hooks[],
  context: NodeContext,
  bounds: HookBounds,
): Promise<void> {
  context.log.info(logged[name], { actr_id: formatActrId(context.selfId) });
  const runs = observers.map((observer) => runOne(name, observer, context, bounds));
  const failures = (await Promise.allSettled(runs)).flatMap((run) =>
    run.status === "rejected" ? [run.reason as ActrError] : [],
  );
  bounds.signal.throwIfAborted();
  const [first, ...more] = failures;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  const texts = failures.map((each) => each.message).join("; ");
  throw new ActrError("internal", `${name} failed in ${failures.length} observers: ${texts}`, {
    cause: new AggregateError(failures),
  });
}

/** Runs a lifecycle hook whose failure changes nothing but the log. */
export async function tryLifecycleHook(
  name: LifecycleHook,
  observers: readonly Hooks[],
  context: NodeContext,
  bounds: HookBounds,
): Promise<void> {
  try {
    await runLifecycleHook(name, observers, context, bounds);
  } catch (error) {
    context.log.warn("hook.failed", { hook: name, error });
  }
}

async function runOne(
  name: LifecycleHook,
  observer: Hooks,
  context: NodeContext,
  { clock, timeoutMs, signal }: HookBounds,
): Promise<void> {
  try {
    await withinLimit(clock, { what: name, ms: timeoutMs, signal }, async () =>
      observer[name]?.(context),
    );
  } catch (thrown) {
    if (ActrError.is(thrown)) throw thrown;
    throw new ActrError("internal", `${name} crashed: ${textOf(thrown)}`, { cause: thrown });
  }
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === "string" ? thrown : `it threw a value of type ${typeof thrown}`;
}
