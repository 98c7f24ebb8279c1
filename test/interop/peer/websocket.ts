import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { Inbox } from "./inbox.ts";

/** Frame opcodes of RFC 6455. */
export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** How a socket ended; without code when the other side gave none, 1006 when no close frame came. */
export interface SocketEnd {
  readonly code: number | undefined;
  readonly reason: string;
}

/** One end of an open WebSocket, over bare TCP: every frame is sent as it is said here, and nothing else. */
export class WebSocketEnd {
  readonly messages = new Inbox<Uint8Array>();
  readonly pongs = new Inbox<Uint8Array>();
  /** Text messages, which no Actr peer may send. */
  readonly texts: string[] = [];
  readonly closed: Promise<SocketEnd>;
  /** Pings that came. */
  pings = 0;
  /** Whether they are answered. */
  answersPings = true;
  onMessage: (message: Uint8Array) => void = (message) => this.messages.push(message);
  readonly #socket: Socket;
  readonly #masks: boolean;
  #received: Buffer;
  #parts: Uint8Array[] = [];
  #opcode: number = opcodes.binary;
  #end: SocketEnd = { code: 1006, reason: "" };

  /** @param masks whether this is the client's end. @param early bytes that came with the handshake. */
  constructor(socket: Socket, masks: boolean, early: Buffer) {
    this.#socket = socket;
    this.#masks = masks;
    this.#received = early;
    socket.setNoDelay(true);
    this.closed = new Promise((resolve) => socket.once("close", () => resolve(this.#end)));
    socket.on("error", () => {}); // Told by `closed`.
    socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#read();
    });
    queueMicrotask(() => this.#read());
  }

  send(message: Uint8Array): void {
    this.frame(opcodes.binary, message);
  }

  /** Sends one frame, whatever the opcode. */
  frame(opcode: number, payload: Uint8Array = new Uint8Array(0)): void {
    if (this.#socket.destroyed) return;
    const { length } = payload;
    const long = length > 0xffff ? 8 : length > 125 ? 2 : 0;
    const head = Buffer.alloc(2 + long);
    head[0] = 0x80 | opcode;
    head[1] = (this.#masks ? 0x80 : 0) | (long === 8 ? 127 : long === 2 ? 126 : length);
    if (long === 8) head.writeBigUInt64BE(BigInt(length), 2);
    if (long === 2) head.writeUInt16BE(length, 2);
    if (!this.#masks) return void this.#socket.write(Buffer.concat([head, payload]));
    const mask = randomBytes(4);
    this.#socket.write(Buffer.concat([head, mask, masked(payload, mask)]));
  }

  /** Says goodbye without a status code, as the real peer does, and ends the connection. */
  close(): void {
    this.frame(opcodes.close);
    this.#socket.end();
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  #read(): void {
    for (let size = this.#readFrame(); size > 0; size = this.#readFrame()) {
      this.#received = this.#received.subarray(size);
    }
  }

  /** The size of the frame that was read; 0 while it is not all there. */
  #readFrame(): number {
    const bytes = this.#received;
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const long = short === 127 ? 8 : short === 126 ? 2 : 0;
    const isMasked = (second & 0x80) !== 0;
    const start = 2 + long + (isMasked ? 4 : 0);
    if (bytes.length < start) return 0;
    const length =
      long === 8 ? Number(bytes.readBigUInt64BE(2)) : long === 2 ? bytes.readUInt16BE(2) : short;
    if (bytes.length < start + length) return 0;
    const payload = bytes.subarray(start, start + length);
    const mask = bytes.subarray(start - 4, start);
    this.#take(first & 0x0f, (first & 0x80) !== 0, isMasked ? masked(payload, mask) : payload);
    return start + length;
  }

  #take(opcode: number, isLast: boolean, payload: Uint8Array): void {
    switch (opcode) {
      case opcodes.ping:
        this.pings += 1;
        if (this.answersPings) this.frame(opcodes.pong, payload);
        return;
      case opcodes.pong:
        return this.pongs.push(payload);
      case opcodes.close:
        this.#end = readEnd(Buffer.from(payload));
        return this.close();
      default:
        return this.#takePart(opcode, isLast, payload);
    }
  }

  #takePart(opcode: number, isLast: boolean, payload: Uint8Array): void {
    if (opcode !== opcodes.continuation) this.#opcode = opcode;
    this.#parts.push(payload);
    if (!isLast) return;
    const message = Buffer.concat(this.#parts.splice(0));
    if (this.#opcode === opcodes.text) this.texts.push(message.toString());
    else this.onMessage(message);
  }
}

function readEnd(payload: Buffer): SocketEnd {
  if (payload.length < 2) return { code: undefined, reason: "" };
  return { code: payload.readUInt16BE(), reason: payload.toString("utf8", 2) };
}

function masked(payload: Uint8Array, mask: Uint8Array): Uint8Array {
  return payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0));
}
