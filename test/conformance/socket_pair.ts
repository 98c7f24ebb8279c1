import type {
  ConnectOptions,
  HttpOptions,
  HttpServer,
  Socket,
  SocketClosed,
  SocketHandler,
  Sockets,
} from "../../src/ports/sockets.ts";

/** A handler that remembers: messages in order, the end, pongs and drains counted. */
export class Inbox implements SocketHandler {
  readonly messages: Uint8Array[] = [];
  /** Text and binary messages, in the order of their arrival. */
  readonly mixed: (string | Uint8Array)[] = [];
  readonly end: Promise<SocketClosed>;
  pongs = 0;
  bytes = 0;
  #changed: () => void = () => {};
  #ended!: (end: SocketClosed) => void;

  constructor() {
    this.end = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  message(data: Uint8Array): void {
    this.messages.push(data);
    this.mixed.push(data);
    this.bytes += data.length;
    this.#changed();
  }

  text(text: string): void {
    this.mixed.push(text);
    this.#changed();
  }

  closed(end: SocketClosed): void {
    this.#ended(end);
    this.#changed();
  }

  pong(): void {
    this.pongs++;
    this.#changed();
  }

  /** Resolves when `reached` holds, looking again after each event. */
  async until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** A listening server with its adapter's client. */
export interface Served extends AsyncDisposable {
  readonly server: HttpServer;
  readonly url: string;
  connect(options?: Partial<ConnectOptions>): Promise<Socket>;
}

const never = new AbortController().signal;
const roomy = 64 * 1024 * 1024;

/** Serves `fetch` on a free loopback port. */
export async function served(sockets: Sockets, fetch: HttpOptions["fetch"]): Promise<Served> {
  if (sockets.serve === undefined) throw new TypeError(`${sockets.name} cannot serve`);
  const server = await sockets.serve({ port: 0, hostname: "127.0.0.1", fetch });
  const url = `ws://127.0.0.1:${server.port}/ws`;
  return {
    server,
    url,
    connect: (options = {}) =>
      sockets.connect(url, { maxMessageBytes: roomy, signal: never, ...options }),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Both ends of one open socket, each with its inbox. */
export interface Pair extends AsyncDisposable {
  readonly client: Socket;
  readonly clientInbox: Inbox;
  readonly remote: Socket;
  readonly remoteInbox: Inbox;
}

/** Connects a client to a server that accepts with `maxMessageBytes`. */
export async function socketPair(sockets: Sockets, maxMessageBytes: number = roomy): Promise<Pair> {
  let hand: (socket: Socket) => void;
  const accepted = new Promise<Socket>((resolve) => {
    hand = resolve;
  });
  const remoteInbox = new Inbox();
  const host = await served(sockets, (_request, { upgrade }) => {
    if (upgrade === undefined) return new Response("no upgrade", { status: 426 });
    return upgrade({ maxMessageBytes }, (socket) => {
      socket.handle(remoteInbox);
      hand(socket);
    });
  });
  const client = await host.connect({ maxMessageBytes });
  const clientInbox = new Inbox();
  client.handle(clientInbox);
  const remote = await accepted;
  return {
    client,
    clientInbox,
    remote,
    remoteInbox,
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}
