import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Socket, SocketClosed, SocketHandler } from "../../src/ports/sockets.ts";
import { closeReason } from "../close_reason.ts";
import { DrainPoll } from "../drain_poll.ts";
import { SocketEvents } from "../socket_events.ts";
import type { Frames } from "./frames.ts";

/** Bytes after which what was held back is written although the turn goes on: with 64 calls in flight, both sides then work at the same time instead of in turns. */
const mostCorkedBytes = 4_096;

/** A Socket over one open connection of the package `ws`. */
export class WsSocket implements Socket {
  readonly #ws: WebSocket;
  readonly #stream: Duplex | null;
  readonly #frames: Frames | undefined;
  readonly #poll: DrainPoll | undefined;
  /** Bytes held back in this turn; negative when nothing is. */
  #corkedBytes = -1;
  readonly #events = new SocketEvents();
  #tooLong = false;

  /**
   * @param stream the connection under `ws`, corked while one turn writes; null where `ws` hides it (clients on Bun).
   * @param frames of a server, whose messages need no mask: these are written past `ws`, which takes longer.
   */
  constructor(ws: WebSocket, stream: Duplex | null, frames?: Frames) {
    this.#ws = ws;
    this.#stream = stream;
    this.#frames = frames;
    ws.on("message", (data: Buffer, isBinary) => {
      this.#events.message(isBinary ? bytesOf(data) : data.toString());
    });
    ws.on("pong", () => this.#events.pong());
    // An error is always followed by "close"; of all errors only this one has a code of its own.
    ws.on("error", (error: NodeJS.ErrnoException) => {
      this.#tooLong ||= error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
    });
    ws.on("close", (code, reason) =>
      this.#closed(this.#tooLong ? tooLong : { code, reason: reason.toString() }),
    );
    const drained = (): void => this.#events.drained();
    if (stream === null) this.#poll = new DrainPoll(() => ws.bufferedAmount, drained);
    else stream.on("drain", drained);
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  send(data: Uint8Array): void {
    this.#send(data);
  }

  sendText(text: string): void {
    this.#send(text);
  }

  ping(): boolean {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
    return true;
  }

  pause(): boolean {
    this.#ws.pause();
    return true;
  }

  resume(): void {
    this.#ws.resume();
  }

  close(code: number, reason: string): void {
    // A paused socket would never see the other side's half of the closing handshake.
    this.#ws.resume();
    this.#ws.close(code, closeReason(reason));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  handle(handler: SocketHandler): void {
    this.#events.handle(handler);
  }

  #send(data: Uint8Array | string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    const stream = this.#stream;
    if (stream !== null) this.#cork(stream, data.length);
    if (stream === null || this.#frames === undefined) this.#ws.send(data);
    else if (typeof data === "string") stream.write(this.#frames.text(data));
    else for (const part of this.#frames.binary(data)) stream.write(part);
    this.#poll?.sent();
  }

  #closed(end: SocketClosed): void {
    this.#poll?.stop();
    this.#events.closed(end);
  }

  /**
   * Holds messages back while microtasks run, then writes them together: no later, so that a single call waits for
   * nothing, and not too many bytes, so that the other side can begin while this one still sends.
   */
  #cork(stream: Duplex, bytes: number): void {
    if (this.#corkedBytes < 0) {
      this.#corkedBytes = 0;
      stream.cork();
      process.nextTick(() => {
        this.#corkedBytes = -1;
        stream.uncork();
      });
    } else if (this.#corkedBytes >= mostCorkedBytes) {
      this.#corkedBytes = 0;
      stream.uncork();
      stream.cork();
    }
    this.#corkedBytes += bytes;
  }
}

const tooLong: SocketClosed = { code: 1009, reason: "message too long" };

function bytesOf({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}
