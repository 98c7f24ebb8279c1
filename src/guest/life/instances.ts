import type { Clock } from "../../ports/clock.ts";
import type {
  GuestCode,
  GuestHost,
  GuestImage,
  GuestInstance,
  HostCalls,
} from "../../ports/guest_host.ts";
import { withinLimit } from "../../time_limit.ts";
import { EntriesInFlight } from "./entries_in_flight.ts";
import { HostGate, type HostGateComponents } from "./host_gate.ts";
import { type InstanceEvents, LiveInstance } from "./live_instance.ts";
import type { GuestOptions } from "./options.ts";
import type { GuestQuota, MemoryLease } from "./quota.ts";

/** What {@link Instances} are made of. */
export interface InstancesComponents<Scope> extends HostGateComponents<Scope> {
  readonly clock: Clock;
  readonly host: GuestHost;
  readonly code: GuestCode;
  readonly quota: GuestQuota;
}

/** Makes the instances of one guest, one after another, within what all guests may use. */
export class Instances<Scope> {
  readonly #components: InstancesComponents<Scope>;
  readonly #options: GuestOptions;
  #image: GuestImage | undefined;
  /** What the instance before had at first, and so will the next. */
  #firstBytes = 0;

  constructor(components: InstancesComponents<Scope>, options: GuestOptions) {
    this.#components = components;
    this.#options = options;
  }

  /** Checks and compiles the code. @throws ActrError `overloaded`, `timed_out`, or with fault `load_failed`; the signal's reason. */
  async load(signal: AbortSignal): Promise<void> {
    const { clock, host, code, quota } = this.#components;
    quota.compiles.take();
    try {
      const limit = { what: "loading the guest", ms: this.#options.loadTimeoutMs, signal };
      this.#image = await withinLimit(clock, limit, (late) => host.load(code, this.#options, late));
    } finally {
      quota.compiles.give();
    }
  }

  /** A fresh instance. @throws ActrError `overloaded`, `timed_out`, or with fault `init_failed`; the signal's reason. */
  async make(events: InstanceEvents<Scope>, signal: AbortSignal): Promise<LiveInstance<Scope>> {
    const { clock, quota } = this.#components;
    const entries = new EntriesInFlight<Scope>();
    const gate = new HostGate(this.#components, entries, this.#options.maxHostCalls);
    quota.instantiations.take();
    try {
      const lease = quota.lease(this.#firstBytes);
      const instance = await this.#fill(lease, (call) => gate.perform(call), signal);
      return new LiveInstance({ clock, instance, lease, entries, events }, this.#options);
    } finally {
      quota.instantiations.give();
    }
  }

  async #fill(lease: MemoryLease, calls: HostCalls, signal: AbortSignal): Promise<GuestInstance> {
    try {
      const instance = await this.#instantiate(calls, signal);
      const refusal = lease.resize(instance.memoryBytes);
      if (refusal === undefined) return instance;
      instance.discard();
      throw refusal;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  async #instantiate(calls: HostCalls, signal: AbortSignal): Promise<GuestInstance> {
    const image = this.#image;
    if (image === undefined) throw new TypeError("the guest has to be loaded first");
    const limit = {
      what: "beginning the guest",
      ms: this.#options.instantiateTimeoutMs,
      signal,
    };
    const instance = await withinLimit(this.#components.clock, limit, (late) =>
      image.instantiate(calls, late),
    );
    this.#firstBytes = instance.memoryBytes;
    return instance;
  }

  /** Gives the image up. Idempotent. */
  async dispose(): Promise<void> {
    const image = this.#image;
    this.#image = undefined;
    await image?.[Symbol.asyncDispose]();
  }
}
