import type { Socket, SocketHandler } from "../../src/ports/sockets.ts";
import { utf8Length } from "../../src/protocol/utf8.ts";
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

  get protocol(): string {
    return this.#socket.protocol;
  }

  send(data: Uint8Array): void {
    this.#socket.send(data);
  }

  sendText(text: string): void {
    this.#socket.sendText(text);
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
      message: (data) => this.#fits(data.length) && handler.message(data),
      text: (text) => this.#fits(utf8Length(text)) && handler.text?.(text),
      closed: (end) => handler.closed(end),
      pong: () => handler.pong?.(),
      drained: () => handler.drained?.(),
    });
  }

  /** Whether a message may be delivered; the first that is too long ends the socket. */
  #fits(bytes: number): boolean {
    if (this.#overrun || bytes <= this.#maxMessageBytes) return !this.#overrun;
    this.#overrun = true;
    this.#socket.close(tooBig, `a message of ${bytes} bytes is too long`);
    return false;
  }
}
