import { Deque } from "../../deque.ts";
import type { ToServer } from "../../protocol/actors/messages.ts";

/** Messages of one client that may wait, and their bytes. */
const maxMessages = 1024;
const maxBytes = 4 * 1024 * 1024;

interface Waiting {
  readonly message: ToServer;
  readonly bytes: number;
}

/** Messages of one client that wait for its actor, first in first out. */
export class ClientInbox {
  readonly #waiting = new Deque<Waiting>();
  #bytes = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** False when there is no room. */
  put(message: ToServer, bytes: number): boolean {
    if (this.size >= maxMessages || this.#bytes + bytes > maxBytes) return false;
    this.#waiting.push({ message, bytes });
    this.#bytes += bytes;
    return true;
  }

  take(): ToServer | undefined {
    const next = this.#waiting.shift();
    this.#bytes -= next?.bytes ?? 0;
    return next?.message;
  }
}
