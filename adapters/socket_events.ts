import type { SocketClosed, SocketHandler } from "../src/ports/sockets.ts";

/** What happened on a socket, for its handler: messages that come before it are kept, the end is told once. */
export class SocketEvents {
  #handler: SocketHandler | undefined;
  #early: (Uint8Array | string)[] = [];
  #end: SocketClosed | undefined;

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Installs or replaces the handler. */
  handle(handler: SocketHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    for (const data of early) deliver(data, handler);
    if (this.#end !== undefined) handler.closed(this.#end);
  }

  message(data: Uint8Array | string): void {
    if (this.#end !== undefined) return;
    if (this.#handler === undefined) this.#early.push(data);
    else deliver(data, this.#handler);
  }

  pong(): void {
    this.#handler?.pong?.();
  }

  drained(): void {
    this.#handler?.drained?.();
  }

  /** Only the first end counts. */
  closed(end: SocketClosed): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#handler?.closed(end);
  }
}

function deliver(data: Uint8Array | string, handler: SocketHandler): void {
  if (typeof data === "string") handler.text?.(data);
  else handler.message(data);
}
