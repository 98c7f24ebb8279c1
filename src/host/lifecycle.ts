import { assertNever } from "../errors.ts";
import type { HostErrorCode } from "../host_errors.ts";

/** Why an actor stops: it will wake again, or it ends for good. */
export type StopReason = "sleep" | "destroy";

/** Where an instance of an actor is in its life (`spec/actor-host.md` §3.1). */
export type InstanceState =
  /** Made, and not started. */
  | "loading"
  /** Its contents are read and its hooks run; commands wait. */
  | "starting"
  /** It serves. */
  | "started"
  /** It is going to sleep, its hooks and its work drain; it still serves. */
  | "sleep_grace"
  /** Its last changes are being saved before it sleeps. */
  | "sleep_finalize"
  /** It is going to end; what was accepted drains. */
  | "destroy_grace"
  /** Its contents are being deleted. */
  | "destroying"
  /** Nothing is left in memory. */
  | "terminated";

/** What moves an instance from one state to another. */
export type LifecycleEvent =
  | "start"
  | "ready"
  | "stop_sleep"
  | "stop_destroy"
  | "drained"
  | "finished"
  | "failed";

const transitions: Readonly<
  Record<InstanceState, Readonly<Partial<Record<LifecycleEvent, InstanceState>>>>
> = {
  loading: { start: "starting", failed: "terminated" },
  starting: { ready: "started", failed: "terminated" },
  started: { stop_sleep: "sleep_grace", stop_destroy: "destroy_grace", failed: "terminated" },
  sleep_grace: { stop_destroy: "destroy_grace", drained: "sleep_finalize", failed: "terminated" },
  sleep_finalize: { finished: "terminated", failed: "terminated" },
  destroy_grace: { drained: "destroying", failed: "terminated" },
  destroying: { finished: "terminated", failed: "terminated" },
  terminated: {},
};

/** The state after `event`; undefined where it means nothing. */
export function after(state: InstanceState, event: LifecycleEvent): InstanceState | undefined {
  return transitions[state][event];
}

/** What is done with a command of a client: accepted now, kept until the instance has started, or refused with a code. */
export type Admission = "accept" | "wait" | HostErrorCode;

/**
 * Whether work of clients is let in. It stands here alone, for every way in (`spec/actor-host.md` §3.4, D20);
 * what was accepted before a stop is finished within its grace (D34).
 */
export function admitWork(state: InstanceState, destroyRequested: boolean): Admission {
  if (destroyRequested) return "actor.destroying";
  switch (state) {
    case "loading":
    case "starting":
      return "wait";
    case "started":
    case "sleep_grace":
      return "accept";
    case "sleep_finalize":
    case "destroy_grace":
      return "actor.stopping";
    case "destroying":
    case "terminated":
      return "actor.destroying";
    default:
      return assertNever(state);
  }
}

/** What is done with a stop: begun, put off until the start has ended, joined, escalated from sleep to the end, or over. */
export type StopAdmission = "begin" | "after_start" | "join" | "escalate" | "after_stop" | "done";

/** What a stop does (`spec/actor-host.md` §3.3, D15: every waiter shares one end; D16: a destroy during sleep is done). */
export function admitStop(state: InstanceState, reason: StopReason): StopAdmission {
  switch (state) {
    case "loading":
    case "starting":
      return "after_start";
    case "started":
      return "begin";
    case "sleep_grace":
      return reason === "destroy" ? "escalate" : "join";
    case "sleep_finalize":
      return reason === "destroy" ? "after_stop" : "join";
    case "destroy_grace":
    case "destroying":
      return "join";
    case "terminated":
      return "done";
    default:
      return assertNever(state);
  }
}

/** What is done when a schedule is due: run, put off until the instance has started, or left for its next start. */
export type AlarmAdmission = "run" | "wait" | "deferred";

/** What a due schedule does (`spec/actor-host.md` §3.3, D17: what cannot run now says so). */
export function admitAlarm(state: InstanceState): AlarmAdmission {
  switch (state) {
    case "loading":
    case "starting":
      return "wait";
    case "started":
      return "run";
    case "sleep_grace":
    case "sleep_finalize":
    case "destroy_grace":
    case "destroying":
    case "terminated":
      return "deferred";
    default:
      return assertNever(state);
  }
}
