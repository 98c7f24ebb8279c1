import { ActrError } from "../../errors.ts";
import { isShownByProxy, StateProxies } from "./state_proxies.ts";

/**
 * A value that tells of every change in it, however deep. What is put in must be data, and belongs to it from then on.
 * An ArrayBuffer is shown as it is: a change through a view of it is saved with the next one that is told of.
 */
export class TrackedState {
  readonly #onChange: () => void;
  readonly #proxies: StateProxies;
  #raw: unknown;
  /** What actors see of it, once they have. */
  #shown: object | undefined;
  #locked = false;

  /** @param value data, which is not checked. */
  constructor(value: unknown, onChange: () => void) {
    this.#raw = value;
    this.#onChange = onChange;
    this.#proxies = new StateProxies(() => this.#change());
  }

  /** What actors see. */
  get value(): unknown {
    if (this.#shown !== undefined) return this.#shown;
    if (isShownByProxy(this.#raw)) this.#shown = this.#proxies.proxy(this.#raw);
    return this.#shown ?? this.#raw;
  }

  /** Replaces all of it. @throws ActrError `actor.unsupported_value`, `actor.state_mutation_reentrant`. */
  set value(value: unknown) {
    const raw = this.#proxies.take(value);
    this.#change();
    if (raw !== this.#raw) this.#shown = undefined;
    this.#raw = raw;
  }

  /** What is stored. */
  get raw(): unknown {
    return this.#raw;
  }

  /** Runs `observe`, during which every change is an error. */
  observed(observe: () => void): void {
    this.#locked = true;
    try {
      observe();
    } finally {
      this.#locked = false;
    }
  }

  #change(): void {
    if (this.#locked) {
      const message = "onStateChange may not change the state; do it in the action, or later";
      throw new ActrError("actor.state_mutation_reentrant", message);
    }
    this.#onChange();
  }
}
