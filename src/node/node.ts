import { abortable } from "#async";
import type { NodeContext } from "../context.ts";
import type { NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { Transport } from "../ports/transport.ts";
import type { ActrId } from "../protocol/ids.ts";
import { abortAfter } from "../time_limit.ts";
import { HookQueue } from "./hooks.ts";
import { Inbound } from "./inbound.ts";
import { runLifecycleHook, tryLifecycleHook } from "./lifecycle_hooks.ts";
import type { NodeComponents, NodeSettings } from "./node_components.ts";
import { LiveNodeContext } from "./node_context.ts";
import { Outbound } from "./outbound.ts";
import { PeerDirectory } from "./peer_directory.ts";
import { type NodePlan, planNode } from "./plan.ts";
import { Presence } from "./presence.ts";
import { UndoStack } from "./undo_stack.ts";

/** Where a node stands. */
export type NodePhase = "starting" | "running" | "stopping" | "stopped";

/** Full backlog, as heartbeats report it (`spec/node.md` §15.1). */
const fullBacklog = 1000;

const notStarted = new ActrError("stopping", "the node did not start; call another one");

/** A running node: it has an identity, is found by peers, and serves. */
export class Node implements AsyncDisposable {
  readonly components: NodeComponents;
  readonly startedAt: number;
  readonly presence: Presence;
  readonly hooks: HookQueue;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  /** Calls peers, in this node's name. */
  readonly context: NodeContext;
  readonly #plan: NodePlan;
  readonly #transports: readonly Transport[];
  readonly #stopping = new AbortController();
  readonly #undo: UndoStack;
  #phase: NodePhase = "starting";
  #stopped: Promise<void> | undefined;

  /**
   * Starts a node: registers, connects signaling, listens, runs `onStart` and `onReady`, then lets requests in.
   * Whatever fails, everything done until then is undone in reverse.
   * @throws ActrError `config`, `registration`, `unavailable`, `storage`, `timed_out`; what `onStart` throws; the signal's reason.
   */
  static async start(
    definition: NodeDefinition,
    components: NodeComponents,
    settings: NodeSettings,
    bounds: { readonly signal?: AbortSignal } = {},
  ): Promise<Node> {
    const plan = planNode(definition, settings);
    const undo = new UndoStack(components.log);
    const { startTimeoutMs } = plan.options.lifecycle;
    const limit = abortAfter(components.clock, startTimeoutMs, bounds.signal, "start");
    try {
      const node = await Node.#register(plan, components, settings, undo, limit.signal);
      await node.#begin(limit.signal);
      return node;
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
    // Presence and node know each other; nothing is told before `#begin`.
    let node: Node | undefined;
    const presence = await Presence.register(
      {
        components,
        settings,
        registration: plan.registration,
        hooks: () => (node as Node).hooks,
        load: () => (node as Node).load(),
        onRebound: () => void node?.outbound.sessions.closeAll("this node has a new identity"),
      },
      signal,
    );
    undo.push("presence", () => presence.close());
    node = new Node(plan, components, undo, presence);
    return node;
  }

  private constructor(
    plan: NodePlan,
    components: NodeComponents,
    undo: UndoStack,
    presence: Presence,
  ) {
    this.components = components;
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
      onFrame: (frame, peer, link) => this.inbound.gate.receive(frame, peer, link),
    });
    const { caller, pending, sessions } = this.outbound;
    this.context = new LiveNodeContext({
      session: presence.session,
      caller,
      directory,
      log,
      signal,
    });
    const { context } = this;
    this.inbound = new Inbound({ plan, components, context, hooks, pending, sessions });
  }

  get id(): ActrId {
    return this.presence.session.current.id;
  }

  get phase(): NodePhase {
    return this.#phase;
  }

  /** What the heartbeat tells of this node's load. */
  load(): { readonly backlog: number } {
    const { queued, inFlight } = this.inbound.mailbox.status();
    return { backlog: Math.min(1, (queued + inFlight) / fullBacklog) };
  }

  async #begin(signal: AbortSignal): Promise<void> {
    const { lifecycle } = this.#plan.options;
    const { clock } = this.components;
    this.#undo.push("hooks", () => this.hooks.close());
    this.#undo.push("peers", () => this.outbound.close("the node did not start"));
    this.#undo.push("inbound", () => this.inbound.close(notStarted));
    await this.inbound.recover();
    await this.presence.connect(signal);
    await this.#listen(signal);
    const bounds = { clock, timeoutMs: lifecycle.hookTimeoutMs, signal };
    await runLifecycleHook("onStart", this.#plan.observers, this.context, bounds);
    await tryLifecycleHook("onReady", this.#plan.observers, this.context, bounds);
    signal.throwIfAborted();
    this.#phase = "running";
    this.inbound.open();
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
    const { clock } = this.components;
    const { stopTimeoutMs, hookTimeoutMs } = this.#plan.options.lifecycle;
    const stopping = new ActrError("stopping", "this node is stopping; call another one");
    const limit = abortAfter(clock, stopTimeoutMs);
    this.#phase = "stopping";
    this.inbound.gate.close(stopping);
    await this.#attempt("unregister", this.presence.leave(limit.signal), limit.signal);
    await this.#attempt("drain", this.inbound.drain(), limit.signal);
    this.#stopping.abort(stopping);
    await this.#attempt("inbound", this.inbound.close(stopping), limit.signal);
    const bounds = { clock, timeoutMs: hookTimeoutMs, signal: limit.signal };
    await tryLifecycleHook("onStop", this.#plan.observers, this.context, bounds);
    await this.#attempt("peers", this.outbound.close("the node is stopping"), limit.signal);
    await this.#attempt("hooks", this.hooks.settled(), limit.signal);
    await this.#undo.unwind();
    limit.cancel();
    this.#phase = "stopped";
  }

  /** One step of a stop: bounded by the deadline, and no reason not to go on. */
  async #attempt(step: string, work: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await abortable(work, signal);
    } catch (error) {
      this.components.log.warn("node.stop_incomplete", { step, error });
    }
  }
}
