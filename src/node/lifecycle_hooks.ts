import { abortable } from "#async";
import type { NodeContext } from "../context.ts";
import type { Hooks, LifecycleHook } from "../hooks.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { abortAfter } from "../time_limit.ts";

/** Runs one lifecycle hook of every observer, in order, each within `timeoutMs`. @throws what the hook throws; ActrError `timed_out`; the signal's reason. */
export async function runLifecycleHook(
  name: LifecycleHook,
  observers: readonly Hooks[],
  context: NodeContext,
  bounds: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  for (const observer of observers) {
    const limit = abortAfter(bounds.clock, bounds.timeoutMs, bounds.signal);
    try {
      await abortable(Promise.resolve(observer[name]?.(context)), limit.signal);
    } finally {
      limit.cancel();
    }
  }
}

/** Runs a lifecycle hook whose failure changes nothing but the log. */
export async function tryLifecycleHook(
  name: LifecycleHook,
  observers: readonly Hooks[],
  context: NodeContext,
  bounds: Parameters<typeof runLifecycleHook>[3] & { readonly log: Logger },
): Promise<void> {
  try {
    await runLifecycleHook(name, observers, context, bounds);
  } catch (error) {
    bounds.log.warn("hook.failed", { hook: name, error });
  }
}
