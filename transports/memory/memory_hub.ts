import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type ActrId, peerKey } from "../../src/protocol/ids.ts";
import type { PeerHeaders } from "../../src/protocol/peer_headers.ts";
import {
  type MemoryFaults,
  type MemoryLine,
  type MemorySocket,
  memorySocketPair,
} from "./memory_socket.ts";

/** Answers a dial: verifies the dialer, then takes its socket. @throws ActrError as the listener refuses. */
export type MemoryAcceptor = (
  claim: PeerHeaders,
  signal: AbortSignal,
) => Promise<(socket: MemorySocket) => void>;

/** The network of memory transports: who listens, and what is wrong with the lines. Tests make one; nodes share it. */
export class MemoryHub {
  /** Faults of every connection, present and future. */
  readonly faults: MemoryFaults = { delayMs: 0, blackhole: false };
  readonly #line: MemoryLine;
  readonly #listeners = new Map<string, MemoryAcceptor>();
  readonly #sockets = new Set<MemorySocket>();

  constructor(clock: Clock) {
    const ended = (socket: MemorySocket): void => void this.#sockets.delete(socket);
    this.#line = { clock, faults: this.faults, ended };
  }

  /** Listens for dials to `id`; returns how to stop. */
  listen(id: ActrId, acceptor: MemoryAcceptor): () => void {
    const key = peerKey(id);
    if (this.#listeners.has(key)) throw new TypeError(`${key} listens already`);
    this.#listeners.set(key, acceptor);
    return () => void this.#listeners.delete(key);
  }

  /** Connects to whoever listens as `id`. @throws ActrError `unavailable` when nobody does. */
  async dial(id: ActrId, claim: PeerHeaders, signal: AbortSignal): Promise<MemorySocket> {
    signal.throwIfAborted();
    const acceptor = this.#listeners.get(peerKey(id));
    if (acceptor === undefined) {
      throw new ActrError("unavailable", `nobody listens as ${peerKey(id)}`);
    }
    const accept = await acceptor(claim, signal);
    signal.throwIfAborted();
    const [near, far] = memorySocketPair(this.#line);
    this.#sockets.add(near).add(far);
    accept(far);
    return near;
  }

  /** Ends of connections that are open: two for each, until a leak makes it more. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Drops every connection, as when a network fails. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}
