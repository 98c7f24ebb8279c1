import { ActrError } from "../errors.ts";

/** Hears of an event. */
export type Listener = (...args: readonly unknown[]) => void;

/** Who listens to a connection, and what of that its node has been told. */
export class LinkListeners {
  readonly #changed: () => void;
  readonly #byEvent = new Map<string, Set<Listener>>();
  readonly #ofErrors = new Set<(error: ActrError) => void>();
  /** Events that the node sends to this client. */
  readonly #subscribed = new Set<string>();

  /** @param changed called when an event has its first listener, or none any more. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Returns what ends it. */
  on(event: string, listener: Listener): () => void {
    const known = this.#byEvent.get(event);
    // The same function may listen twice.
    const own: Listener = (...args) => listener(...args);
    if (known !== undefined) known.add(own);
    else {
      this.#byEvent.set(event, new Set([own]));
      this.#changed();
    }
    return () => this.#off(event, own);
  }

  /** Returns what ends it. */
  onError(listener: (error: ActrError) => void): () => void {
    const own = (error: ActrError): void => listener(error);
    this.#ofErrors.add(own);
    return () => void this.#ofErrors.delete(own);
  }

  /** What a listener throws is its own affair; the others hear of the event all the same. */
  emit(event: string, args: readonly unknown[]): void {
    for (const listener of [...(this.#byEvent.get(event) ?? [])]) {
      try {
        listener(...args);
      } catch (error) {
        this.tell(ActrError.from(error));
      }
    }
  }

  tell(error: ActrError): void {
    for (const listener of [...this.#ofErrors]) listener(error);
  }

  /** The node knows of none. */
  forget(): void {
    this.#subscribed.clear();
  }

  /** What the node is to be told: events that are listened to, or no more, as far as it does not know. */
  *news(): Generator<readonly [event: string, listens: boolean]> {
    for (const event of this.#subscribed) {
      if (!this.#byEvent.has(event) && this.#subscribed.delete(event)) yield [event, false];
    }
    for (const event of this.#byEvent.keys()) {
      if (this.#subscribed.has(event)) continue;
      this.#subscribed.add(event);
      yield [event, true];
    }
  }

  #off(event: string, listener: Listener): void {
    const listeners = this.#byEvent.get(event);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    this.#byEvent.delete(event);
    this.#changed();
  }
}
