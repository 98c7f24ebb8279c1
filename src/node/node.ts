import type { NodeContext } from "../context.ts";
import type { NodeDefinition } from "../define.ts";
import type { GuestWorkload } from "../guest/workload/guest_workload.ts";
import { ActorHost } from "../host/actor_host.ts";
import { withActorRoutes } from "../host/actor_service.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import type { NodeLoad } from "../signaling/node_load.ts";
import { tracedAs } from "../spans.ts";
import { NodeMedia } from "../streams/node_media.ts";
import { NodeStreams } from "../streams/node_streams.ts";
import { abortAfter } from "../time_limit.ts";
import { announced } from "./announcement.ts";
import { loadGuest, openGuest, withProver } from "./guest.ts";
import { GuestUpgrades } from "./guest_upgrades.ts";
import { HookQueue } from "./hooks.ts";
import { Inbound } from "./inbound.ts";
import { instanceIdOf } from "./instance_id.ts";
import { NodeLifecycle, type NodePhase } from "./lifecycle.ts";
import { NodeNetwork } from "./network.ts";
import type { NetworkEvents } from "./network_events.ts";
import type { NodeComponents, NodeSettings } from "./node_components.ts";
import { LiveNodeContext } from "./node_context.ts";
import { Outbound } from "./outbound.ts";
import { PeerDirectory } from "./peer_directory.ts";
import { type NodePlan, planNode } from "./plan.ts";
import { powerReserve } from "./power_reserve.ts";
import { Presence } from "./presence.ts";
import { RegisteredNode } from "./registered_node.ts";
import { UndoStack } from "./undo_stack.ts";

/** Bounds of a start, and what lies under it. */
export interface StartBounds {
  /** Ends the start. */
  readonly signal?: AbortSignal;
  /** What was opened for the node: undone after it stopped, or did not start, within the same deadline. */
  readonly undo?: UndoStack;
}

/** What a node is put together from. */
interface NodeParts {
  readonly plan: NodePlan;
  readonly components: NodeComponents;
  readonly undo: UndoStack;
  readonly presence: Presence;
  readonly instanceId: string;
  readonly guest: GuestWorkload | undefined;
  readonly definition: NodeDefinition;
  readonly settings: NodeSettings;
}

/** Where actors are kept. */
function actorStore(
  { store, actorStore: shared, databases }: NodeComponents,
  self: () => string,
): Pick<ConstructorParameters<typeof ActorHost>[1], "store" | "databases" | "placedAs"> {
  return shared === undefined ? { store, databases } : { store: shared, databases, placedAs: self };
}

/** Full backlog, as heartbeats report it (`spec/node.md` §15.1). */
const fullBacklog = 1000;

/** A running node: it has an identity, is found by peers, and serves. */
export class Node implements AsyncDisposable {
  readonly components: NodeComponents;
  /** Names the node's data: the same over restarts on one store, whatever identity it gets. */
  readonly instanceId: string;
  readonly startedAt: number;
  readonly presence: Presence;
  readonly hooks: HookQueue;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  /** Names of the transports that it uses. */
  readonly transports: readonly string[];
  readonly streams: NodeStreams;
  /** Actors that live here. */
  readonly actors: ActorHost;
  readonly media: NodeMedia;
  /** The workload where that is no services. */
  readonly guest: GuestWorkload | undefined;
  /** Puts other packages in its place; none without a guest. */
  readonly upgrades: GuestUpgrades | undefined;
  /** Calls peers, in this node's name. */
  readonly context: NodeContext;
  readonly #network: NodeNetwork;
  readonly #lifecycle: NodeLifecycle;

  /**
   * Starts a node: registers, connects signaling, listens, runs `onStart` and `onReady`, then lets requests in.
   * Whatever fails, everything done until then is undone in reverse.
   * @throws ActrError `config`, `registration`, `unavailable`, `storage`, `timed_out`; what `onStart` throws; the signal's reason.
   */
  static async start(
    definition: NodeDefinition,
    components: NodeComponents,
    settings: NodeSettings,
    bounds: StartBounds = {},
  ): Promise<Node> {
    const registered = await Node.register(definition, components, settings, bounds);
    return await registered.start(bounds);
  }

  /** The first half of a start: the node gets its identity, and does nothing with it yet. @throws as {@link Node.start}. */
  static async register(
    asked: NodeDefinition,
    components: NodeComponents,
    settings: NodeSettings,
    bounds: StartBounds = {},
  ): Promise<RegisteredNode> {
    const definition = withProver(asked, components);
    // The guest and its node know each other; nothing of it runs before it is loaded.
    let node: Node | undefined;
    const guest = openGuest(definition, components, settings, () => (node as Node).context);
    const plan = planNode(definition, settings, guest);
    const { startTimeoutMs, stopTimeoutMs } = plan.options.lifecycle;
    const { undo = new UndoStack(components, { timeoutMs: stopTimeoutMs }) } = bounds;
    const limit = abortAfter(components.clock, startTimeoutMs, bounds.signal, "registration");
    try {
      await loadGuest(guest, undo, limit.signal);
      const parts = { plan, components, undo, guest, definition, settings };
      const made = await Node.#register(parts, limit.signal);
      node = made;
      return new RegisteredNode(made, undo, (signal) => made.#lifecycle.begin(signal));
    } catch (error) {
      await undo.unwind();
      throw error;
    } finally {
      limit.cancel();
    }
  }

  static async #register(
    parts: Omit<NodeParts, "presence" | "instanceId">,
    signal: AbortSignal,
  ): Promise<Node> {
    const { plan, components, undo, settings } = parts;
    const instanceId = await instanceIdOf(components);
    const registration = await announced(plan.registration, plan.announcement, components);
    // Presence and node know each other; nothing is told before `#begin`.
    let node: Node | undefined;
    const presence = await Presence.register(
      {
        components,
        settings,
        registration,
        hooks: () => (node as Node).hooks,
        load: () => (node as Node).load(),
        onRebound: () => node?.outbound.rebound(),
      },
      signal,
    );
    undo.push("presence", () => presence.close());
    node = new Node({ ...parts, presence, instanceId });
    return node;
  }

  private constructor(parts: NodeParts) {
    const { plan, components, undo, presence, instanceId, guest } = parts;
    this.components = components;
    this.guest = guest;
    this.instanceId = instanceId;
    this.presence = presence;
    this.startedAt = components.clock.now();
    const { observers, options } = plan;
    const stopping = new AbortController();
    const { signal } = stopping;
    const { log } = components;
    const traced = tracedAs(components, () => this.id);
    const directory = new PeerDirectory(
      presence.signaling,
      signal,
      traced.tracer,
      plan.dependencies,
    );
    this.hooks = new HookQueue(
      { observers, clock: components.clock, log, context: () => this.context },
      options.lifecycle,
    );
    const transports = components.transports(presence.transportIdentity, options.session);
    this.transports = transports.map(({ name }) => name);
    const { hooks } = this;
    this.outbound = new Outbound({
      components: traced,
      options,
      transports,
      directory,
      hooks,
      session: presence.session,
      onFrame: (frame, peer, link) => this.inbound.gate.receive(frame, peer, link),
      onSample: (trackId, sample, sender) => this.inbound.media.dispatch(trackId, sample, sender),
      onLive: (...began) => this.inbound.liveTracks.began(...began),
      onExhausted: (peer, link) => this.inbound.streams.disconnected(link, peer),
    });
    const { caller, pending, sessions } = this.outbound;
    this.context = new LiveNodeContext({
      session: presence.session,
      caller,
      directory,
      log,
      signal,
      streams: () => this.streams,
      media: () => this.media,
      host: () => this.inbound.host,
      localActors: () => this.actors.callerOf({}),
    });
    const { context } = this;
    this.inbound = new Inbound({
      ...{ components: traced, context, hooks, pending, sessions },
      plan: { ...plan, routes: withActorRoutes(plan, () => this.actors) },
      localActors: (waiting) => this.actors.callerOf(waiting),
    });
    const { clock, random } = components;
    const { lifecycle } = options;
    this.upgrades =
      guest &&
      new GuestUpgrades(
        { ...parts, guest, clock, log, inbound: this.inbound, stopped: signal },
        lifecycle.startTimeoutMs,
      );
    this.streams = new NodeStreams(
      { clock, random, registry: this.inbound.streams, sender: this.outbound.chunks },
      options.streams,
    );
    const { outbound } = this;
    this.media = new NodeMedia({
      received: this.inbound.media,
      live: this.inbound.liveTracks,
      sent: outbound.media,
      self: () => this.id,
    });
    this.actors = new ActorHost(
      plan.actors,
      {
        ...{ clock, random, log, node: () => this.context },
        ...actorStore(components, () => formatActrId(this.id)),
      },
      options.actors,
    );
    this.#network = new NodeNetwork({ components, presence, outbound }, options.network);
    this.#lifecycle = new NodeLifecycle({
      ...{ plan, components, undo, presence, hooks, inbound: this.inbound, outbound },
      ...{ network: this.#network, transports, context, stopping, actors: this.actors },
    });
  }

  get id(): ActrId {
    return this.presence.session.current.id;
  }

  get phase(): NodePhase {
    return this.#lifecycle.phase;
  }

  /** Where the application tells of changes of the network, and that it was in the background. */
  get network(): NetworkEvents {
    return this.#network.events;
  }

  /** What the heartbeat tells of this node's load; a node whose handlers are stuck is not available. */
  load(): NodeLoad {
    const { queued, inFlight } = this.inbound.mailbox.status();
    const { stuck } = this.inbound.handling.status();
    const backlog = stuck ? 1 : Math.min(1, (queued + inFlight) / fullBacklog);
    const reserve = powerReserve(this.components.meter?.load() ?? {});
    return reserve === undefined ? { backlog } : { backlog, powerReserve: reserve };
  }

  /**
   * Stops: no new requests, unregister, handle what was let in, `onStop`, peers, signaling; all within
   * one deadline. Idempotent; never rejects.
   */
  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  /** Resolves when the node and what was opened for it have stopped, whoever asked for it. */
  get stopped(): Promise<void> {
    return this.#lifecycle.stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
