import type { ActorCaller } from "../actor_client.ts";
import type { ActrError } from "../errors.ts";
import type { ActorRecord } from "./contents.ts";
import type { ActorKind, HostComponents } from "./host_components.ts";
import type { Instance } from "./instance.ts";
import type { StopReason } from "./lifecycle.ts";
import type { LocalCallOptions } from "./local_actors.ts";

/** What an instance tells the host. */
export interface InstanceOwner {
  /** It wants to stop: idle, or asked to by its own code. */
  wants(instance: Instance, reason: StopReason): void;
  /** What is in memory cannot be trusted any more, and is to be dropped. */
  broken(instance: Instance, error: ActrError): void;
  /** It is not in memory any more. */
  left(instance: Instance): void;
  /** Something has ended that a stop may have waited for. */
  activity(instance: Instance): void;
  /** Calls actors, for those that wait for them. */
  callerOf(options: LocalCallOptions): ActorCaller;
  /** A schedule is due then, Unix milliseconds. */
  readonly expect: (atMs: number) => void;
}

/** What makes an instance. */
export interface InstanceInit {
  readonly id: string;
  readonly record: ActorRecord;
  readonly kind: ActorKind;
  readonly components: HostComponents;
  readonly owner: InstanceOwner;
}
