import type { Instance } from "../instance.ts";
import { callback } from "../turns/callback.ts";

/** Runs hooks of a connection: they keep the actor awake, and have their deadline. @throws as {@link callback}. */
export async function withinHooks<T>(
  { components, kind, work, saving }: Instance,
  name: string,
  signal: AbortSignal,
  run: () => Promise<T>,
): Promise<T> {
  const limit = { name, ms: 2 * kind.options.hookTimeoutMs, signal };
  const running = Promise.resolve(callback(components.clock, limit, run));
  work.track("connection", running);
  return await running.finally(() => saving.save());
}
