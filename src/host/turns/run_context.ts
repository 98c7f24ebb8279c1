import { InstanceContext } from "../actor_context.ts";
import type { Instance } from "../instance.ts";
import type { ReceiveScope } from "../queues/actor_messages.ts";

/** What `run` is given: while it waits for a message, the actor may sleep. */
export class RunContext extends InstanceContext {
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  #rests = false;

  constructor(instance: Instance) {
    super(instance);
    this.#signal = AbortSignal.any([instance.stopping, this.#over.signal]);
  }

  override get signal(): AbortSignal {
    return this.#signal;
  }

  /** `run` has ended: what it left waiting takes no message any more. */
  end(): void {
    this.#over.abort();
    this.#goOn();
  }

  protected override get scope(): ReceiveScope {
    return { signal: this.#signal, waits: () => this.#rest(), goesOn: () => this.#goOn() };
  }

  #rest(): void {
    if (this.#rests) return;
    this.#rests = true;
    this.instance.queues.runRests();
    this.instance.work.end("run");
  }

  #goOn(): void {
    if (!this.#rests) return;
    this.#rests = false;
    this.instance.queues.runGoesOn();
    this.instance.work.begin("run");
  }
}
