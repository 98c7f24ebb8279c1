import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type ActrId, actrIdEquals, peerKey } from "../../src/protocol/ids.ts";
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

interface Listening {
  readonly id: () => ActrId;
  readonly acceptor: MemoryAcceptor;
}

/** The network of memory transports: who listens, and what is wrong with the lines. Tests make one; nodes share it. */
export class MemoryHub {
  /** Faults of every connection, present and future. */
  readonly faults: MemoryFaults = { delayMs: 0, blackhole: false };
  readonly #line: MemoryLine;
  readonly #listeners = new Set<Listening>();
  readonly #sockets = new Set<MemorySocket>();

  constructor(clock: Clock) {
    const ended = (socket: MemorySocket): void => void this.#sockets.delete(socket);
    this.#line = { clock, faults: this.faults, ended };
  }

  /** Listens for dials to what `id` is at the time of each; returns how to stop. */
  listen(id: () => ActrId, acceptor: MemoryAcceptor): () => void {
    if (this.#listener(id()) !== undefined) throw new TypeError(`${peerKey(id())} listens already`);
    const listening = { id, acceptor };
    this.#listeners.add(listening);
    return () => void this.#listeners.delete(listening);
  }

  /** Connects to whoever listens as `id`. @throws ActrError `unavailable` when nobody does. */
  async dial(id: ActrId, claim: PeerHeaders, signal: AbortSignal): Promise<MemorySocket> {
    signal.throwIfAborted();
    const listening = this.#listener(id);
    if (listening === undefined) {
      throw new ActrError("unavailable", `nobody listens as ${peerKey(id)}`);
    }
    const accept = await listening.acceptor(claim, signal);
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

  #listener(wanted: ActrId): Listening | undefined {
    for (const listening of this.#listeners) {
      if (actrIdEquals(listening.id(), wanted)) return listening;
    }
    return undefined;
  }
}
