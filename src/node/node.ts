import type { NodeContext } from "../context.ts";
import type { NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { Transport } from "../ports/transport.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { NodeLoad } from "../signaling/node_load.ts";
import { NodeStreams } from "../streams/node_streams.ts";
import { abortAfter } from "../time_limit.ts";
import { HookQueue } from "./hooks.ts";
import { Inbound } from "./inbound.ts";
import { instanceIdOf } from "./instance_id.ts";
import { runLifecycleHook, tryLifecycleHook } from "./lifecycle_hooks.ts";
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
import { runStart, runStop, type StartStep, type StopStep } from "./steps.ts";
import { UndoStack } from "./undo_stack.ts";

/** Where a node stands. */
export type NodePhase = "registered" | "starting" | "running" | "stopping" | "stopped";

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
}

/** Full backlog, as heartbeats report it (`spec/node.md` §15.1). */
const fullBacklog = 1000;

const notStarted = new ActrError("stopping", "the node did not start; call another one");

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
  readonly streams: NodeStreams;
  /** Calls peers, in this node's name. */
  readonly context: NodeContext;
  readonly #plan: NodePlan;
  readonly #transports: readonly Transport[];
  readonly #network: NodeNetwork;
  readonly #stopping = new AbortController();
  readonly #undo: UndoStack;
  #phase: NodePhase = "registered";
  #stopped: Promise<void> | undefined;
  #left: Promise<void> | undefined;

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
    definition: NodeDefinition,
    components: NodeComponents,
    settings: NodeSettings,
    bounds: StartBounds = {},
  ): Promise<RegisteredNode> {
    const plan = planNode(definition, settings);
    const { startTimeoutMs, stopTimeoutMs } = plan.options.lifecycle;
    const { undo = new UndoStack(components, { timeoutMs: stopTimeoutMs }) } = bounds;
    const limit = abortAfter(components.clock, startTimeoutMs, bounds.signal, "registration");
    try {
      const node = await Node.#register(plan, components, settings, undo, limit.signal);
      return new RegisteredNode(node, undo, (signal) => node.#begin(signal));
    } catch (error) {
      await undo.unwind();
      throw error;
    } finally {
      limit.cancel();
    }
  }

  static async #register(
    plan: NodePlan,
    components: NodeComponents,
    settings: NodeSettings,
    undo: UndoStack,
    signal: AbortSignal,
  ): Promise<Node> {
    const instanceId = await instanceIdOf(components);
    // Presence and node know each other; nothing is told before `#begin`.
    let node: Node | undefined;
    const presence = await Presence.register(
      {
        components,
        settings,
        registration: plan.registration,
        hooks: () => (node as Node).hooks,
        load: () => (node as Node).load(),
        onRebound: () => node?.outbound.rebound(),
      },
      signal,
    );
    undo.push("presence", () => presence.close());
    node = new Node({ plan, components, undo, presence, instanceId });
    return node;
  }

  private constructor({ plan, components, undo, presence, instanceId }: NodeParts) {
    this.components = components;
    this.instanceId = instanceId;
    this.presence = presence;
    this.#plan = plan;
    this.#undo = undo;
    this.startedAt = components.clock.now();
    const { observers, options } = plan;
    const { signal } = this.#stopping;
    const { log } = components;
    const directory = new PeerDirectory(presence.signaling, signal);
    this.hooks = new HookQueue(
      { observers, clock: components.clock, log, context: () => this.context },
      options.lifecycle,
    );
    this.#transports = components.transports(presence.transportIdentity);
    const { hooks } = this;
    this.outbound = new Outbound({
      components,
      options,
      transports: this.#transports,
      directory,
      hooks,
      session: presence.session,
      onFrame: (frame, peer, link) => this.inbound.gate.receive(frame, peer, link),
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
      media: () => this.inbound.media,
      host: () => this.inbound.host,
    });
    const { context } = this;
    this.inbound = new Inbound({ plan, components, context, hooks, pending, sessions });
    const { clock, random } = components;
    this.streams = new NodeStreams(
      { clock, random, registry: this.inbound.streams, sender: this.outbound.chunks },
      options.streams,
    );
    const { outbound } = this;
    this.#network = new NodeNetwork({ components, presence, outbound }, options.network);
  }

  get id(): ActrId {
    return this.presence.session.current.id;
  }

  get phase(): NodePhase {
    return this.#phase;
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

  async #begin(signal: AbortSignal): Promise<void> {
    const { hookTimeoutMs, startTimeoutMs } = this.#plan.options.lifecycle;
    const { clock } = this.components;
    this.#phase = "starting";
    const limit = abortAfter(clock, startTimeoutMs, signal, "start");
    await runStart(this.#startSteps(), this.#undo, limit.signal).finally(() => limit.cancel());
    const bounds = { clock, timeoutMs: hookTimeoutMs, signal };
    await runLifecycleHook("onStart", this.#plan.observers, this.context, bounds);
    await tryLifecycleHook("onReady", this.#plan.observers, this.context, bounds);
    signal.throwIfAborted();
    this.#phase = "running";
    this.inbound.open();
  }

  #startSteps(): StartStep[] {
    const { hooks, outbound, inbound, presence } = this;
    return [
      { name: "context", undo: () => this.#stopping.abort(notStarted) },
      { name: "hooks", undo: () => hooks.close() },
      { name: "peers", undo: () => outbound.close("the node did not start") },
      {
        name: "mailbox",
        run: async () => void (await inbound.recover()),
        undo: () => inbound.close(notStarted),
      },
      {
        name: "signaling",
        run: (signal) => presence.connect(signal),
        undo: () => (this.#left === undefined ? this.#leave(this.#stopping.signal) : undefined),
      },
      { name: "listeners", run: (signal) => this.#listen(signal) },
      {
        name: "network",
        run: () => this.#network.start(),
        undo: () => this.#network.close(notStarted),
      },
    ];
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { sessions } = this.outbound;
    for (const transport of this.#transports) {
      const listener = await transport.listen?.((link) => sessions.accept(link), { signal });
      if (listener !== undefined) {
        this.#undo.push(transport.name, async () => await listener[Symbol.asyncDispose]());
      }
    }
  }

  /**
   * Stops: no new requests, unregister, handle what was let in, `onStop`, peers, signaling; all within
   * one deadline. Idempotent; never rejects.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const { clock, log } = this.components;
    const { stopTimeoutMs } = this.#plan.options.lifecycle;
    const stopping = new ActrError("stopping", "this node is stopping; call another one");
    const limit = abortAfter(clock, stopTimeoutMs, undefined, "the stop");
    this.#phase = "stopping";
    this.inbound.gate.close(stopping);
    await runStop(this.#stopSteps(stopping), { clock, log, timeoutMs: stopTimeoutMs });
    await this.#undo.unwind(limit.signal);
    limit.cancel();
    this.#phase = "stopped";
  }

  /** What a stop does before it undoes the start; `until` leaves every step some time, whatever the ones before it took. */
  #stopSteps(stopping: ActrError): StopStep[] {
    const { hooks, outbound, inbound } = this;
    return [
      { name: "network", until: 0.1, run: () => this.#network.close(stopping) },
      { name: "unregister", until: 0.15, run: (signal) => this.#leave(signal) },
      { name: "drain", until: 0.75, run: () => inbound.drain() },
      {
        name: "inbound",
        until: 0.8,
        run: () => {
          this.#stopping.abort(stopping);
          return inbound.close(stopping);
        },
      },
      { name: "onStop", until: 0.9, run: (signal) => this.#onStop(signal) },
      { name: "peers", until: 0.95, run: () => outbound.close("the node is stopping") },
      { name: "hooks", until: 0.98, run: () => hooks.settled() },
    ];
  }

  #onStop(signal: AbortSignal): Promise<void> {
    const { hookTimeoutMs } = this.#plan.options.lifecycle;
    const bounds = { clock: this.components.clock, timeoutMs: hookTimeoutMs, signal };
    return tryLifecycleHook("onStop", this.#plan.observers, this.context, bounds);
  }

  /** Tells the rendezvous, once, that this node takes no requests. */
  #leave(signal: AbortSignal): Promise<void> {
    this.#left ??= this.presence.leave(signal);
    return this.#left;
  }
}
