import type { Context } from "../../context.ts";
import type { NodeSpec } from "../../define.ts";
import type { GuestDefinition } from "../../guest.ts";
import type { Hooks } from "../../hooks.ts";
import type { Request, Route } from "../../inbound/route.ts";
import type { GuestEntry, GuestLifecycle } from "../../ports/guest_host.ts";
import { callChain } from "../../protocol/call_chain.ts";
import type { Dependency } from "../../protocol/dependencies.ts";
import { withResolvers } from "../../with_resolvers.ts";
import type { GuestStatus } from "../life/status.ts";
import type { VerifiedPackage } from "../package/verified_package.ts";
import { guestObserver } from "./guest_observer.ts";
import { type GuestAccess, GuestRoutes } from "./guest_routes.ts";
import { LiveGuest, type LiveGuestComponents } from "./live_guest.ts";

/** What is done between the last request of one guest and the first of the next, and undone when that does not begin. */
export interface Between {
  enter(): Promise<void>;
  /** Never rejects. */
  leave(): Promise<void>;
}

/** A guest in the place of a node's services: gate, mailbox, scheduler, access rules, dedup and hooks do not know the difference. */
export class GuestWorkload {
  readonly routes: GuestRoutes;
  readonly observer: Hooks;
  readonly #components: LiveGuestComponents;
  readonly #definition: GuestDefinition;
  #current: LiveGuest;
  /** While one guest takes the place of another: settles when it has. */
  #held: Promise<void> | undefined;

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

  /** What it was built against, as its package's lock file says. */
  get dependencies(): readonly Dependency[] | undefined {
    return this.#current.dependencies;
  }

  /** As {@link LiveGuest.describe}. */
  describe(spec: NodeSpec, publishedAt: number): ReturnType<LiveGuest["describe"]> {
    return this.#current.describe(spec, publishedAt);
  }

  /** Compiles it, so that a package that cannot run is known before anybody hears of the node. @throws ActrError as {@link LiveGuest.load}. */
  load(signal: AbortSignal): Promise<void> {
    return this.#current.load(signal);
  }

  /** Whether this is what answers now. */
  runs(guest: LiveGuest): boolean {
    return guest === this.#current;
  }

  /** Loads another package beside this one; nothing of it is entered. @throws as {@link load}. */
  async prepare(next: VerifiedPackage, signal: AbortSignal): Promise<LiveGuest> {
    const made = new LiveGuest({ ...this.#definition, package: next }, this.#components);
    await made.load(signal);
    return made;
  }

  /**
   * Puts a guest in the place of this one. Requests wait; when those in the old one have ended, `between` is done and
   * `on-start` entered; then those that wait enter the new one, and the old one ends. When any of that fails, the old one
   * goes on as if nothing had been. @throws what fails; the signal's reason.
   */
  async switchTo(next: LiveGuest, between: Between, signal: AbortSignal): Promise<void> {
    const before = this.#current;
    const { promise, resolve } = withResolvers<void>();
    this.#held = promise;
    try {
      await before.idle(signal);
      await this.#begin(next, before, between, signal);
      this.#current = next;
    } finally {
      this.#held = undefined;
      resolve();
    }
    await this.#attempt(next, "on-ready");
    await this.#attempt(before, "on-stop");
    await before.close();
  }

  async #begin(
    next: LiveGuest,
    before: LiveGuest,
    between: Between,
    signal: AbortSignal,
  ): Promise<void> {
    before.suspend();
    try {
      await between.enter();
      await next.live("on-start");
      // A node that has stopped meanwhile has closed the old one, and nobody else would close the new one.
      signal.throwIfAborted();
    } catch (error) {
      await next.close();
      await between.leave();
      before.resume();
      throw error;
    }
  }

  async #attempt(guest: LiveGuest, name: GuestLifecycle): Promise<void> {
    try {
      await guest.live(name);
    } catch (error) {
      this.#components.log.warn("hook.failed", { hook: name, error });
    }
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
    const enter = (): Promise<Uint8Array> =>
      this.#current.dispatch({ requestId, routeKey, payload }, context, bounds);
    // What a request waits for must not wait for that request to end.
    return this.#held === undefined || bounds.nested ? enter() : this.#held.then(enter);
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
