import type { Socket, SocketHandler, UpgradeOptions } from "../src/ports/sockets.ts";
import { closeReason } from "./close_reason.ts";
import { DrainPoll } from "./drain_poll.ts";
import { messageBytes } from "./message_bytes.ts";
import { SocketEvents } from "./socket_events.ts";

/** The WebSocket of the web platform, with what Bun adds to it. */
export type GlobalWebSocket = WebSocket & {
  ping?(): void;
  pause?(): void;
  resume?(): void;
  terminate?(): void;
};

/**
 * A Socket over the runtime's own WebSocket. A message over the limit is in memory before it is refused;
 * where the runtime has no `terminate`, the other end sees a closing handshake instead of a lost connection.
 */
export class GlobalSocket implements Socket {
  readonly #ws: GlobalWebSocket;
  readonly #selected: string | undefined;
  readonly #events = new SocketEvents();
  readonly #poll: DrainPoll;

  /** @param options the limit of messages, and the subprotocol where `ws` does not know it (servers on Deno). */
  constructor(ws: GlobalWebSocket, { maxMessageBytes, protocol }: UpgradeOptions) {
    this.#ws = ws;
    this.#selected = protocol;
    this.#poll = new DrainPoll(
      () => ws.bufferedAmount,
      () => this.#events.drained(),
    );
    ws.binaryType = "arraybuffer";
    ws.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (messageBytes(data) > maxMessageBytes) this.#end(1009, "message too long");
      else this.#events.message(typeof data === "string" ? data : new Uint8Array(data));
    });
    ws.addEventListener("pong", () => this.#events.pong());
    ws.addEventListener("close", ({ code, reason }) => this.#closed(code || 1006, reason));
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  get protocol(): string {
    return this.#selected ?? this.#ws.protocol;
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.#send(data);
  }

  sendText(text: string): void {
    this.#send(text);
  }

  ping(): boolean {
    this.#ws.ping?.();
    return this.#ws.ping !== undefined;
  }

  pause(): boolean {
    this.#ws.pause?.();
    return this.#ws.pause !== undefined;
  }

  resume(): void {
    this.#ws.resume?.();
  }

  close(code: number, reason: string): void {
    if (this.#ws.readyState >= this.#ws.CLOSING) return;
    this.#ws.resume?.();
    closeWith(this.#ws, code, closeReason(reason));
  }

  terminate(): void {
    if (this.#ws.terminate !== undefined) this.#ws.terminate();
    else this.#end(1006, "");
  }

  handle(handler: SocketHandler): void {
    this.#events.handle(handler);
  }

  #send(data: Uint8Array<ArrayBuffer> | string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(data);
    this.#poll.sent();
  }

  /** Ends this side at once and the other by what the runtime has. */
  #end(code: number, reason: string): void {
    this.close(code, reason);
    this.#closed(code, reason);
  }

  #closed(code: number, reason: string): void {
    this.#poll.stop();
    this.#events.closed({ code, reason });
  }
}

/** Bun sends any code. Elsewhere applications may send 1000 and 3000–4999 only: protocol codes travel as 4000 and their last digits. */
function closeWith(ws: GlobalWebSocket, code: number, reason: string): void {
  try {
    ws.close(code, reason);
  } catch {
    ws.close(3000 + code, reason);
  }
}
