import type { NodeContext } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { ActorHost } from "../host/actor_host.ts";
import type { Transport } from "../ports/transport.ts";
import { abortAfter, withinLimit } from "../time_limit.ts";
import type { HookQueue } from "./hooks.ts";
import type { Inbound } from "./inbound.ts";
import { runLifecycleHook, tryLifecycleHook } from "./lifecycle_hooks.ts";
import type { NodeNetwork } from "./network.ts";
import type { NodeComponents } from "./node_components.ts";
import type { Outbound } from "./outbound.ts";
import type { NodePlan } from "./plan.ts";
import type { Presence } from "./presence.ts";
import { runStart, runStop, type StartStep, type StopStep } from "./steps.ts";
import type { UndoStack } from "./undo_stack.ts";

/** Where a node stands. */
export type NodePhase = "registered" | "starting" | "running" | "stopping" | "stopped";

/** What starts and stops. */
export interface LifecycleParts {
  readonly plan: NodePlan;
  readonly components: Pick<NodeComponents, "clock" | "log">;
  readonly undo: UndoStack;
  readonly presence: Presence;
  readonly hooks: HookQueue;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  readonly network: NodeNetwork;
  readonly actors: ActorHost;
  readonly transports: readonly Transport[];
  readonly context: NodeContext;
  /** Ends what the node's contexts are used for. */
  readonly stopping: AbortController;
}

const notStarted = new ActrError("stopping", "the node did not start; call another one");

/** The start and the stop of a node, as tables of steps. */
export class NodeLifecycle {
  /** Resolves when the stop is done, whoever asked for it. */
  readonly stopped: Promise<void>;
  readonly #parts: LifecycleParts;
  #phase: NodePhase = "registered";
  #stopping: Promise<void> | undefined;
  #onStopped: () => void = () => {};
  #left: Promise<void> | undefined;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
    this.stopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
  }

  get phase(): NodePhase {
    return this.#phase;
  }

  /** The second half of a start: everything but the registration. */
  async begin(signal: AbortSignal): Promise<void> {
    const { plan, components, undo, context, inbound } = this.#parts;
    const { hookTimeoutMs, startTimeoutMs } = plan.options.lifecycle;
    const { clock } = components;
    this.#phase = "starting";
    const limit = abortAfter(clock, startTimeoutMs, signal, "start");
    await runStart(this.#startSteps(), undo, limit.signal).finally(() => limit.cancel());
    const bounds = { clock, timeoutMs: hookTimeoutMs, signal };
    await runLifecycleHook("onStart", plan.observers, context, bounds);
    await tryLifecycleHook("onReady", plan.observers, context, bounds);
    signal.throwIfAborted();
    const joining = { what: "joining the nodes that share the actors", ms: startTimeoutMs, signal };
    await withinLimit(clock, joining, () => this.#parts.actors.join());
    this.#phase = "running";
    inbound.open();
    this.#parts.actors.start();
  }

  #startSteps(): StartStep[] {
    const { hooks, outbound, inbound, presence, network, stopping } = this.#parts;
    return [
      { name: "context", undo: () => stopping.abort(notStarted) },
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
        undo: () => (this.#left === undefined ? this.#leave(stopping.signal) : undefined),
      },
      { name: "listeners", run: (signal) => this.#listen(signal) },
      {
        name: "network",
        run: () => network.start(),
        undo: () => network.close(notStarted),
      },
    ];
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { outbound, transports, undo } = this.#parts;
    const { sessions } = outbound;
    for (const transport of transports) {
      const listener = await transport.listen?.((link) => sessions.accept(link), { signal });
      if (listener !== undefined) {
        undo.push(transport.name, async () => await listener[Symbol.asyncDispose]());
      }
    }
  }

  /** As {@link Node.stop}. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { plan, components, undo, inbound } = this.#parts;
    const { clock, log } = components;
    const { stopTimeoutMs } = plan.options.lifecycle;
    const stopping = new ActrError("stopping", "this node is stopping; call another one");
    const limit = abortAfter(clock, stopTimeoutMs, undefined, "the stop");
    this.#phase = "stopping";
    inbound.gate.close(stopping);
    await runStop(this.#stopSteps(stopping), { clock, log, timeoutMs: stopTimeoutMs });
    await undo.unwind(limit.signal);
    limit.cancel();
    this.#phase = "stopped";
    this.#onStopped();
  }

  /** What a stop does before it undoes the start; `until` leaves every step some time, whatever the ones before it took. */
  #stopSteps(reason: ActrError): StopStep[] {
    const { hooks, outbound, inbound, actors, network, stopping } = this.#parts;
    return [
      { name: "network", until: 0.1, run: () => network.close(reason) },
      { name: "unregister", until: 0.15, run: (signal) => this.#leave(signal) },
      { name: "drain", until: 0.75, run: () => inbound.drain() },
      { name: "actors", until: 0.8, run: () => actors.close(reason) },
      {
        name: "inbound",
        until: 0.84,
        run: () => {
          stopping.abort(reason);
          return inbound.close(reason);
        },
      },
      { name: "onStop", until: 0.9, run: (signal) => this.#onStop(signal) },
      { name: "peers", until: 0.95, run: () => outbound.close("the node is stopping") },
      { name: "hooks", until: 0.98, run: () => hooks.settled() },
    ];
  }

  #onStop(signal: AbortSignal): Promise<void> {
    const { plan, components, context } = this.#parts;
    const { hookTimeoutMs } = plan.options.lifecycle;
    const bounds = { clock: components.clock, timeoutMs: hookTimeoutMs, signal };
    return tryLifecycleHook("onStop", plan.observers, context, bounds);
  }

  /** Tells the rendezvous, once, that this node takes no requests. */
  #leave(signal: AbortSignal): Promise<void> {
    this.#left ??= this.#parts.presence.leave(signal);
    return this.#left;
  }
}
