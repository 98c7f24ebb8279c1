import type { Clock } from "../../ports/clock.ts";
import type { SignalingSocket } from "../signaling_socket.ts";

interface Own {
  readonly node: SignalingSocket;
  readonly stamp: number;
}

/**
 * The nodes that are connected here, each with the stamp of its connection. Stamps are milliseconds of the wall clock, and
 * greater than every stamp that this server has seen: who connects anew, anywhere, gets a greater one than before.
 */
export class OwnNodes {
  readonly #clock: Clock;
  readonly #byKey = new Map<string, Own>();
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of a stamp of another server. */
  witness(stamp: number): void {
    this.#last = Math.max(this.#last, stamp);
  }

  /** Adds a node; returns the stamp of its connection. */
  add(node: SignalingSocket): number {
    this.#last = Math.max(this.#last + 1, this.#clock.now());
    this.#byKey.set(node.key, { node, stamp: this.#last });
    return this.#last;
  }

  /** Removes a node; returns the stamp that it had, if it was here. */
  remove(node: SignalingSocket): number | undefined {
    const own = this.#byKey.get(node.key);
    if (own?.node !== node) return undefined;
    this.#byKey.delete(node.key);
    return own.stamp;
  }

  get(key: string): Own | undefined {
    return this.#byKey.get(key);
  }

  get size(): number {
    return this.#byKey.size;
  }

  keys(): string[] {
    return [...this.#byKey.keys()];
  }
}
