import type { Context } from "../../context.ts";
import type { NodeSpec } from "../../define.ts";
import type { GuestDefinition } from "../../guest.ts";
import type { Hooks } from "../../hooks.ts";
import type { Request, Route } from "../../inbound/route.ts";
import type { GuestEntry, GuestLifecycle } from "../../ports/guest_host.ts";
import { callChain } from "../../protocol/call_chain.ts";
import type { Dependency } from "../../protocol/dependencies.ts";
import { sourceSpec } from "../../protocol/fingerprint/source_spec.ts";
import { parseLock } from "../../protocol/manifest/lock.ts";
import type { GuestStatus } from "../life/status.ts";
import type { VerifiedPackage } from "../package/verified_package.ts";
import { guestObserver } from "./guest_observer.ts";
import { type GuestAccess, GuestRoutes } from "./guest_routes.ts";
import { LiveGuest, type LiveGuestComponents } from "./live_guest.ts";

/** A guest in the place of a node's services: gate, mailbox, scheduler, access rules, dedup and hooks do not know the difference. */
export class GuestWorkload {
  readonly routes: GuestRoutes;
  readonly observer: Hooks;
  readonly #components: LiveGuestComponents;
  readonly #definition: GuestDefinition;
  #current: LiveGuest;

  /** @throws ActrError `config` for a binary that is not run here, limits, rules or keys that cannot be. */
  constructor(definition: GuestDefinition, components: LiveGuestComponents, access: GuestAccess) {
    this.#definition = definition;
    this.#components = components;
    this.#current = new LiveGuest(definition, components);
    this.routes = new GuestRoutes(
      definition.methods,
      (overlaps) => this.#dispatching(overlaps),
      access,
    );
    this.observer = guestObserver({
      live: (name) => this.#live(name),
      tell: (entry) => this.#tell(entry),
    });
  }

  /** What it runs now. */
  get package(): VerifiedPackage {
    return this.#current.package;
  }

  /** What it was built against, as its package's lock file says. @throws ActrError `config` for one that is none. */
  get dependencies(): readonly Dependency[] | undefined {
    const { lockFile } = this.package;
    return lockFile && parseLock(new TextDecoder().decode(lockFile)).dependencies;
  }

  /** What discovery is told of it: the protos of its package. @throws ActrError `invalid_argument` where they cannot be described. */
  describe(spec: NodeSpec, publishedAt: number): ReturnType<typeof sourceSpec> {
    const { protos, manifest } = this.package;
    return sourceSpec(protos, { name: manifest.name, ...manifest.metadata, ...spec, publishedAt });
  }

  /** Compiles it, so that a package that cannot run is known before anybody hears of the node. @throws ActrError as {@link LiveGuest.load}. */
  load(signal: AbortSignal): Promise<void> {
    return this.#current.load(signal);
  }

  status(): GuestStatus {
    return this.#current.status();
  }

  /** Discards it. Idempotent; never rejects. */
  close(): Promise<void> {
    return this.#current.close();
  }

  #dispatching(overlaps: boolean): Route["handle"] {
    return (payload, context, _reply, { message }) =>
      this.#dispatch(payload, context, message, overlaps);
  }

  #dispatch(
    payload: Uint8Array,
    context: Context,
    message: Request["message"],
    overlaps: boolean,
  ): Promise<Uint8Array> {
    const { requestId, routeKey, metadata } = message.envelope;
    const deadline = deadlineOf(message);
    const bounds = {
      overlaps,
      nested: callChain(metadata).length > 0,
      ...(deadline !== undefined && { deadline }),
    };
    return this.#current.dispatch({ requestId, routeKey, payload }, context, bounds);
  }

  #live(name: GuestLifecycle): Promise<void> {
    return this.#current.live(name);
  }

  #tell(entry: GuestEntry): void {
    // The runner has logged and counted what fails.
    this.#current.tell(entry).catch(() => {});
  }
}

/** When whoever waits for an answer gives up, monotonic milliseconds; what is on disk is not waited for so long. */
function deadlineOf({ envelope, arrivedAt, row }: Request["message"]): number | undefined {
  const waits = row === undefined && envelope.timeoutMs > 0;
  return waits ? arrivedAt + envelope.timeoutMs : undefined;
}
