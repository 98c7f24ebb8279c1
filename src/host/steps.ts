import { ActrError } from "../errors.ts";
import type { LogAttributes, Logger } from "../ports/logger.ts";
import type { StopReason } from "./lifecycle.ts";
import type { ActionCommand } from "./turns/command.ts";

/** Whose steps are told. */
export interface Stepping {
  readonly log: Logger;
  /** What its own logger comes from: asked first, so that an actor that logs nothing has none. */
  readonly components: { readonly log: Logger };
}

/** Tells, at debug level, of a command on its way through an actor (`spec/actor-host.md` §18.2); costs one question where that is off. */
export function commandStep(
  actor: Stepping,
  event: "actor.dispatch_received" | "actor.event_enqueued" | "actor.event_drained",
  command: ActionCommand,
): void {
  if (!actor.components.log.enabled("debug")) return;
  actor.log.debug(event, factsOf(command));
}

/** Tells, at debug level, that who waited for a command has its answer. */
export function commandHandled(
  actor: Stepping,
  command: ActionCommand,
  failure: ActrError | undefined,
): void {
  if (!actor.components.log.enabled("debug")) return;
  actor.log.debug("actor.dispatch_handled", { ...factsOf(command), ...outcomeOf(failure) });
}

/** Tells, at debug level, that an actor takes up what it asked itself for. */
export function lifecycleDrained(actor: Stepping, event: "save_requested" | "sleep_tick"): void {
  if (!actor.components.log.enabled("debug")) return;
  actor.log.debug("actor.lifecycle_drained", { event });
}

/** Facts of a command of an actor's life. */
export interface LifecycleStep {
  readonly actor_id: string;
  readonly command: "start" | "stop" | "fire_alarm";
  readonly reason?: StopReason;
}

/** Carries out a command of an actor's life, and tells, at debug level, of its arrival and its outcome. */
export function lifecycleStep<T>(
  log: Logger,
  step: LifecycleStep,
  run: () => Promise<T>,
): Promise<T> {
  return log.enabled("debug") ? told(log, step, run) : run();
}

async function told<T>(log: Logger, step: LifecycleStep, run: () => Promise<T>): Promise<T> {
  log.debug("actor.lifecycle_received", { ...step });
  let failure: unknown;
  try {
    return await run();
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    log.debug("actor.lifecycle_replied", { ...step, ...outcomeOf(failure) });
  }
}

function factsOf({ name, conn, handler }: ActionCommand): LogAttributes {
  const what = handler === undefined ? { command: "action", action: name } : { command: name };
  return { ...what, conn_id: conn?.id };
}

function outcomeOf(failure: unknown): LogAttributes {
  if (failure === undefined) return { outcome: "ok" };
  return { outcome: "error", error_code: ActrError.from(failure).code };
}
