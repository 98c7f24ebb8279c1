import type { Socket, SocketHandler, Sockets } from "../../src/ports/sockets.ts";

/** Sockets whose connections a test can count, silence and drop. */
export class WatchedSockets implements Sockets {
  readonly #inner: Sockets;
  readonly name: string;
  readonly capabilities: Sockets["capabilities"];
  readonly open = new Set<WatchedSocket>();
  frozen = false;

  constructor(inner: Sockets) {
    this.#inner = inner;
    this.name = inner.name;
    this.capabilities = inner.capabilities;
  }

  readonly connect: Sockets["connect"] = async (url, options) =>
    this.watch(await this.#inner.connect(url, options));

  /** A socket that is counted until it has closed. */
  watch(socket: Socket): Socket {
    const watched = new WatchedSocket(socket, this);
    this.open.add(watched);
    return watched;
  }

  drop(): void {
    for (const socket of this.open) socket.terminate();
  }
}

/** One connection of {@link WatchedSockets}; while they are frozen nothing goes in or out. */
export class WatchedSocket implements Socket {
  readonly #inner: Socket;
  readonly #all: WatchedSockets;
  #terminated = false;
  #pinged = false;

  constructor(inner: Socket, all: WatchedSockets) {
    this.#inner = inner;
    this.#all = all;
  }

  get bufferedAmount(): number {
    return this.#inner.bufferedAmount;
  }

  /** Whether it waits for the answer to a ping. */
  get pinged(): boolean {
    return this.#pinged;
  }

  get protocol(): string {
    return this.#inner.protocol;
  }

  send(data: Uint8Array): void {
    if (!this.#all.frozen) this.#inner.send(data);
  }

  sendText(text: string): void {
    if (!this.#all.frozen) this.#inner.sendText(text);
  }

  ping(): boolean {
    if (this.#all.frozen) return true;
    this.#pinged = this.#inner.ping();
    return this.#pinged;
  }

  pause(): boolean {
    return this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  close(code: number, reason: string): void {
    if (!this.#all.frozen) this.#inner.close(code, reason);
  }

  terminate(): void {
    this.#terminated = true;
    this.#inner.terminate();
  }

  handle(handler: SocketHandler): void {
    const live = (): boolean => !this.#all.frozen;
    this.#inner.handle({
      message: (data) => live() && handler.message(data),
      text: (text) => live() && handler.text?.(text),
      pong: () => {
        this.#pinged = false;
        if (live()) handler.pong?.();
      },
      drained: () => handler.drained?.(),
      closed: (end) => {
        this.#all.open.delete(this);
        if (live() || this.#terminated) handler.closed(end);
      },
    });
  }
}
