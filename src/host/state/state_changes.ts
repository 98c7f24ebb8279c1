import type { Instance } from "../instance.ts";
import { callbackEnd } from "../turns/callback.ts";
import type { StateWatcher } from "./saving.ts";

/** Tells an actor's `onStateChange`: that is work which keeps it awake, from the change until the hook has ended. */
export class StateChanges implements StateWatcher {
  readonly #instance: Instance;

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  expect(): void {
    this.#instance.work.begin("keep_awake");
  }

  tell(state: unknown): void {
    const { kind, context } = this.#instance;
    try {
      const telling = kind.definition.onStateChange?.(context, state);
      if (!(telling instanceof Promise)) return this.#end();
      this.#within(telling).then(
        () => this.#end(),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      this.#failed(error);
    }
  }

  #within(telling: Promise<void>): Promise<void> {
    const { components, kind } = this.#instance;
    // A stop waits for it, and does not end it.
    const { signal } = new AbortController();
    const limit = { name: "onStateChange", ms: kind.options.hookTimeoutMs, signal };
    return callbackEnd(components.clock, limit, telling);
  }

  #failed(error: unknown): void {
    this.#instance.report(error, "hook");
    this.#end();
  }

  #end(): void {
    this.#instance.work.end("keep_awake");
  }
}
