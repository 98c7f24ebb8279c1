import { abortable } from "#async";
import type { NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { VerifiedPackage } from "../guest/package/verified_package.ts";
import type { Between, GuestWorkload } from "../guest/workload/guest_workload.ts";
import type { LiveGuest } from "../guest/workload/live_guest.ts";
import type { Registration } from "../identity/ais_client.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { actrTypeEquals, formatActrType } from "../protocol/ids.ts";
import { abortAfter } from "../time_limit.ts";
import { announced, announcementOf } from "./announcement.ts";
import type { Inbound } from "./inbound.ts";
import type { NodeSettings } from "./node_components.ts";
import type { Presence, Standing } from "./presence.ts";
import { registrationOf } from "./registration.ts";

/** What a {@link GuestUpgrades} works with. */
export interface GuestUpgradeParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly definition: NodeDefinition;
  readonly settings: NodeSettings;
  readonly guest: GuestWorkload;
  readonly presence: Presence;
  readonly inbound: Inbound;
  /** Ends with the node. */
  readonly stopped: AbortSignal;
}

/** What ends an upgrade. */
export interface UpgradeBounds {
  readonly signal?: AbortSignal;
}

const nothing: Between = { enter: async () => {}, leave: async () => {} };

/** Longest wait for the identity of before, when an upgrade has failed, milliseconds. */
const backTimeoutMs = 10_000;

/**
 * Puts other packages of the same actor in the place of a node's guest while it runs (`spec/guest.md` §21 GD-27). A
 * package of the same version takes over under the node's identity, and requests wait meanwhile. Another version is
 * another type, which the identity holds: the node registers as that first, answers all that it had accepted, refuses
 * what comes until it has changed, and leaves its peers, who find it under its new type.
 */
export class GuestUpgrades {
  readonly #parts: GuestUpgradeParts;
  readonly #timeoutMs: number;
  #previous: VerifiedPackage | undefined;
  #busy = false;

  /** @param timeoutMs how long one upgrade may take. */
  constructor(parts: GuestUpgradeParts, timeoutMs: number) {
    this.#parts = parts;
    this.#timeoutMs = timeoutMs;
  }

  /** What ran before the last upgrade, for {@link rollback}. */
  get previous(): VerifiedPackage | undefined {
    return this.#previous;
  }

  /**
   * Runs another package; what fails leaves the one that runs as it is.
   * @throws ActrError `config` for a package that cannot run here or is of another actor, `registration`, `timed_out`,
   * `unavailable` while another upgrade goes on, `stopping`; what its `on-start` throws; the signal's reason.
   */
  async upgrade(next: VerifiedPackage, { signal }: UpgradeBounds = {}): Promise<void> {
    const { clock, stopped, log } = this.#parts;
    const { package: before } = this.#parts.guest;
    requireSameActor(before, next);
    if (this.#busy) throw new ActrError("unavailable", "an upgrade goes on; wait for its end");
    this.#busy = true;
    const either = signal === undefined ? stopped : AbortSignal.any([signal, stopped]);
    const limit = abortAfter(clock, this.#timeoutMs, either, "the upgrade");
    try {
      await this.#replace(next, limit.signal);
    } finally {
      limit.cancel();
      this.#busy = false;
    }
    const [from, to] = [before, next].map(({ manifest }) => formatActrType(manifest));
    log.info("guest.upgraded", { from, to });
  }

  /** Goes back to the package that ran before. @throws ActrError `not_found` where there is none; as {@link upgrade}. */
  rollback(bounds?: UpgradeBounds): Promise<void> {
    const { previous } = this;
    if (previous !== undefined) return this.upgrade(previous, bounds);
    return Promise.reject(new ActrError("not_found", "no other package has run on this node"));
  }

  async #replace(next: VerifiedPackage, signal: AbortSignal): Promise<void> {
    const { guest, presence } = this.#parts;
    const { package: before } = guest;
    const fresh = await guest.prepare(next, signal);
    try {
      const registration = await this.#registrationOf(fresh);
      if (actrTypeEquals(registration.type, presence.session.current.id.type)) {
        await guest.switchTo(fresh, nothing, signal);
        await presence.restate(registration);
      } else {
        await this.#become(await presence.stand(registration, signal), fresh, signal);
      }
    } finally {
      // It may run although what came after failed, such as writing down who the node is.
      if (guest.runs(fresh)) this.#previous = before;
      else await fresh.close();
    }
  }

  /** Every request that was accepted is answered under the identity under which it came. */
  async #become(standing: Standing, fresh: LiveGuest, signal: AbortSignal): Promise<void> {
    const { guest, presence, inbound, clock, log, stopped } = this.#parts;
    const { standing: before } = presence;
    const between: Between = {
      enter: () => presence.adopt(standing, signal),
      async leave() {
        const limit = abortAfter(clock, backTimeoutMs, stopped, "going back");
        await presence
          .adopt(before, limit.signal)
          .catch((error: unknown) => log.error("guest.identity_not_back", { error }))
          .finally(() => limit.cancel());
      },
    };
    const reason = new ActrError("unavailable", "the node is being upgraded; look for it again", {
      retryAfterMs: 1_000,
    });
    const letIn = inbound.gate.pause(reason);
    try {
      await abortable(inbound.settled(), signal);
      await guest.switchTo(fresh, between, signal);
    } finally {
      letIn();
    }
  }

  async #registrationOf(fresh: LiveGuest): Promise<Registration> {
    const { definition, settings, clock, log } = this.#parts;
    const { type: _of_the_first, guest, ...rest } = definition;
    const dependencies = rest.dependencies ?? fresh.dependencies;
    const next: NodeDefinition = {
      ...rest,
      guest: { ...guest, package: fresh.package },
      ...(dependencies && { dependencies }),
    };
    const registration = registrationOf(next, settings);
    const announcement = announcementOf(next, registration.type, fresh);
    return await announced(registration, announcement, { clock, log });
  }
}

/** @throws ActrError `config` for a package of another actor. */
function requireSameActor({ manifest: now }: VerifiedPackage, { manifest }: VerifiedPackage): void {
  const { manufacturer, name } = manifest;
  if (manufacturer === now.manufacturer && name === now.name) return;
  const mend = "serve it on a node of its own";
  throw new ActrError(
    "config",
    `the package is ${formatActrType(manifest)}, and this node runs ${formatActrType(now)}; ${mend}`,
  );
}
