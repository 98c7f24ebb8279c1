import type { Socket, SocketHandler } from "../../src/ports/sockets.ts";
import type { MemorySocket } from "../../transports/memory/memory_socket.ts";
import { closeReason } from "../close_reason.ts";

/** WebSocket close code of a message that is too long. */
const tooBig = 1009;

/** One end of a pair of memory sockets under the rules of a WebSocket: messages have a limit, close reasons fit a frame. */
export class BoundedSocket implements Socket {
  readonly #socket: MemorySocket;
  readonly #maxMessageBytes: number;
  #overrun = false;

  constructor(socket: MemorySocket, maxMessageBytes: number) {
    this.#socket = socket;
    this.#maxMessageBytes = maxMessageBytes;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: Uint8Array): void {
    this.#socket.send(data);
  }

  ping(): boolean {
    return this.#socket.ping();
  }

  pause(): boolean {
    return this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, closeReason(reason));
  }

  terminate(): void {
    this.#socket.terminate();
  }

  handle(handler: SocketHandler): void {
    this.#socket.handle({
      message: (data) => this.#receive(data, handler),
      closed: (end) => handler.closed(end),
      pong: () => handler.pong?.(),
      drained: () => handler.drained?.(),
    });
  }

  #receive(data: Uint8Array, handler: SocketHandler): void {
    if (this.#overrun) return;
    if (data.length <= this.#maxMessageBytes) return handler.message(data);
    this.#overrun = true;
    this.#socket.close(tooBig, `a message of ${data.length} bytes is too long`);
  }
}
