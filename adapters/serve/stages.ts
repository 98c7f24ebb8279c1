import type { NodeDefinition } from "../../src/define.ts";
import type { GuestRuntime } from "../../src/guest/workload/guest_runtime.ts";
import type { Hooks } from "../../src/hooks.ts";
import { Node } from "../../src/node/node.ts";
import type { RegisteredNode } from "../../src/node/registered_node.ts";
import { WayOn } from "../../src/node/way_on.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import { type Endpoint, openEndpoint } from "./endpoint.ts";
import { type Foundation, layFoundation } from "./foundation.ts";
import { haltSignal } from "./halt.ts";
import type { Runtime, Served, ServeOptions } from "./options.ts";
import { served } from "./served.ts";

/** What ends one stage early. */
export interface StageBounds {
  readonly signal?: AbortSignal;
}

/** First stage of a node's life: it is known where it will live, and not yet what it serves. Nothing runs. */
export class Prepared {
  readonly #runtime: Runtime;
  readonly #options: ServeOptions;

  constructor(runtime: Runtime, options: ServeOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  /** Says what the node serves; may be asked again, for other nodes with the same options. */
  attach(app: NodeDefinition): Attached {
    return new Attached(this.#runtime, this.#options, app);
  }
}

/** Second stage: it is known what the node serves. Nothing runs. */
export class Attached implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #options: ServeOptions;
  readonly #wayOn = new WayOn("register");
  #app: NodeDefinition;

  /** Made by {@link Prepared.attach}. */
  constructor(runtime: Runtime, options: ServeOptions, app: NodeDefinition) {
    this.#runtime = runtime;
    this.#options = options;
    this.#app = app;
  }

  /** Adds an observer, told beside the definition's own hooks. @throws TypeError once it is registered, which is too late. */
  observe(hooks: Hooks): this {
    if (this.#wayOn.used) throw new TypeError("observers come before register()");
    this.#app = { ...this.#app, observers: [...(this.#app.observers ?? []), hooks] };
    return this;
  }

  /**
   * Opens the store, binds the port and gets the node its identity; this may be asked for once.
   * @throws ActrError `config`, `storage`, `registration`, `unavailable`, `timed_out`, the signal's reason: then
   * nothing is left open; TypeError when it was registered or given up before.
   */
  register({ signal }: StageBounds = {}): Promise<Registered> {
    return this.#wayOn.take(eitherSignal(this.#options.signal, signal), (limit) =>
      this.#register(limit),
    );
  }

  async #register(signal: AbortSignal): Promise<Registered> {
    const options = { ...this.#options, signal };
    const { app, guests } = await prepared(this.#app, options);
    const foundation = await layFoundation(this.#runtime, options, app.options?.lifecycle);
    const { undo } = foundation;
    try {
      const halt = haltSignal(foundation, options);
      const endpoint = await openEndpoint(foundation, this.#runtime, options);
      const { settings } = endpoint;
      const components = { ...endpoint.components, guests: guests?.(foundation.clock) };
      const bounds = { signal: AbortSignal.any([signal, halt]), undo };
      const node = await Node.register(app, components, settings, bounds);
      return new Registered(node, { foundation, endpoint, halt, signal: this.#options.signal });
    } catch (error) {
      await undo.unwind();
      throw error;
    }
  }

  /** Gives the node up, also while it registers; one that is registered is left alone. Idempotent; never rejects. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#wayOn.giveUp(async () => {});
  }
}

/** What a registered node stands on. */
export interface RegisteredParts {
  readonly foundation: Foundation;
  readonly endpoint: Endpoint;
  readonly halt: AbortSignal;
  /** Ends the start. */
  readonly signal: AbortSignal | undefined;
}

/** Third stage: the node has its identity and its port, is not found by anybody and takes no requests. */
export class Registered implements AsyncDisposable {
  readonly #node: RegisteredNode;
  readonly #parts: RegisteredParts;

  /** Made by {@link Attached.register}. */
  constructor(node: RegisteredNode, parts: RegisteredParts) {
    this.#node = node;
    this.#parts = parts;
  }

  get id(): ActrId {
    return this.#node.id;
  }

  /** Base address of the HTTP endpoint. */
  get url(): string {
    return this.#parts.endpoint.url;
  }

  /**
   * Starts the node: last stage; this may be asked for once.
   * @throws ActrError `unavailable`, `timed_out`; what `onStart` throws; the signal's reason: then nothing is left
   * running; TypeError when it was started or given up before.
   */
  async start({ signal }: StageBounds = {}): Promise<Served> {
    const { endpoint, halt, signal: outer } = this.#parts;
    const ends = eitherSignal(outer, signal);
    const node = await this.#node.start({ signal: eitherSignal(ends, halt) ?? halt });
    endpoint.show(node);
    return served(node, endpoint, halt);
  }

  /** Gives the node up, also while it starts; one that runs is left alone. Idempotent; never rejects. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#node[Symbol.asyncDispose]();
  }
}

/** An app as it is served with these options, and what runs its guest: only nodes that have one load that. */
async function prepared(
  app: NodeDefinition,
  { identity, guests }: ServeOptions,
): Promise<{ readonly app: NodeDefinition; readonly guests?: (clock: Clock) => GuestRuntime }> {
  if (app.guest === undefined) return { app };
  const { guestsOf, registeredHere } = await import("./guests.ts");
  const registered = identity === undefined ? registeredHere(app, app.guest) : app;
  return { app: registered, guests: guests === undefined ? guestsOf : () => guests };
}

function eitherSignal(
  one: AbortSignal | undefined,
  other: AbortSignal | undefined,
): AbortSignal | undefined {
  return one === undefined || other === undefined ? (one ?? other) : AbortSignal.any([one, other]);
}
