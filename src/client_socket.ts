import type { RawSocket, RawSocketHandler } from "./actor.ts";
import type { Socket } from "./ports/sockets.ts";

/** A client's end of a raw WebSocket: what comes before it is handled waits. */
export class ClientSocket implements RawSocket {
  readonly #socket: Socket;
  #handler: RawSocketHandler | undefined;
  #early: ((handler: RawSocketHandler) => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.handle({
      message: (data) => this.#tell((handler) => void handler.message(data)),
      text: (text) => this.#tell((handler) => void handler.message(text)),
      closed: (end) => this.#tell((handler) => void handler.closed?.(end)),
    });
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  handle(handler: RawSocketHandler): void {
    this.#handler = handler;
    for (const tell of this.#early.splice(0)) tell(handler);
  }

  send(data: string | Uint8Array): void {
    if (typeof data === "string") this.#socket.sendText(data);
    else this.#socket.send(data);
  }

  close(code = 1000, reason = ""): void {
    this.#socket.close(code, reason);
  }

  #tell(tell: (handler: RawSocketHandler) => void): void {
    if (this.#handler === undefined) this.#early.push(tell);
    else tell(this.#handler);
  }
}
