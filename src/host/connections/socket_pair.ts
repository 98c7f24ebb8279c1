import type { Socket, SocketClosed, SocketHandler } from "../../ports/sockets.ts";

/** One end of a socket within the process. */
class PairedSocket implements Socket {
  readonly bufferedAmount = 0;
  readonly protocol = "";
  peer: PairedSocket | undefined;
  #handler: SocketHandler | undefined;
  /** What came before there was a handler. */
  #early: ((handler: SocketHandler) => void)[] = [];
  #closed = false;

  send(data: Uint8Array): void {
    const copy = data.slice();
    this.#toPeer((handler) => handler.message(copy));
  }

  sendText(text: string): void {
    this.#toPeer((handler) => handler.text?.(text));
  }

  ping(): boolean {
    return false;
  }

  pause(): boolean {
    return false;
  }

  resume(): void {}

  close(code: number, reason: string): void {
    if (this.#closed) return;
    const end = { code, reason };
    this.peer?.ended(end);
    this.ended(end);
  }

  terminate(): void {
    this.close(1006, "");
  }

  handle(handler: SocketHandler): void {
    this.#handler = handler;
    for (const tell of this.#early.splice(0)) tell(handler);
  }

  /** The end comes after all that was sent. */
  ended(end: SocketClosed): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#later((handler) => handler.closed(end));
  }

  #toPeer(tell: (handler: SocketHandler) => void): void {
    const { peer } = this;
    if (!this.#closed && peer !== undefined) peer.#later(tell);
  }

  /** Never within the call that sends: neither end is called back from its own. */
  #later(tell: (handler: SocketHandler) => void): void {
    queueMicrotask(() => {
      if (this.#handler === undefined) this.#early.push(tell);
      else tell(this.#handler);
    });
  }
}

/** The two ends of a WebSocket that leaves the process nowhere. */
export function socketPair(): readonly [Socket, Socket] {
  const [one, other] = [new PairedSocket(), new PairedSocket()];
  one.peer = other;
  other.peer = one;
  return [one, other];
}
