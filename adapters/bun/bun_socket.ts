import type { Socket, SocketHandler, UpgradeOptions } from "../../src/ports/sockets.ts";
import { closeReason } from "../close_reason.ts";
import { messageBytes } from "../message_bytes.ts";
import { SocketEvents } from "../socket_events.ts";
import type { BunWebSocket } from "./runtime.ts";

const open = 1;

/** The server side of one socket of `Bun.serve`. */
export class BunSocket implements Socket {
  readonly protocol: string;
  readonly #ws: BunWebSocket<unknown>;
  readonly #maxMessageBytes: number;
  readonly #events = new SocketEvents();

  constructor(ws: BunWebSocket<unknown>, { maxMessageBytes, protocol }: Required<UpgradeOptions>) {
    this.protocol = protocol;
    this.#ws = ws;
    this.#maxMessageBytes = maxMessageBytes;
  }

  get bufferedAmount(): number {
    return this.#ws.getBufferedAmount();
  }

  send(data: Uint8Array): void {
    if (this.#ws.readyState === open) this.#ws.send(data);
  }

  sendText(text: string): void {
    if (this.#ws.readyState === open) this.#ws.send(text);
  }

  ping(): boolean {
    if (this.#ws.readyState === open) this.#ws.ping();
    return true;
  }

  pause(): boolean {
    if (this.#ws.readyState === open) this.#ws.pause();
    return true;
  }

  resume(): void {
    if (this.#ws.readyState === open) this.#ws.resume();
  }

  close(code: number, reason: string): void {
    this.resume();
    this.#ws.close(code, closeReason(reason));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  handle(handler: SocketHandler): void {
    this.#events.handle(handler);
  }

  /** One message from the server's callback. */
  received(data: string | Uint8Array): void {
    if (messageBytes(data) > this.#maxMessageBytes) this.#refuse();
    else this.#events.message(data);
  }

  pong(): void {
    this.#events.pong();
  }

  drained(): void {
    this.#events.drained();
  }

  closed(code: number, reason: string): void {
    this.#events.closed({ code, reason });
  }

  #refuse(): void {
    this.close(1009, "message too long");
    this.closed(1009, "message too long");
  }
}
