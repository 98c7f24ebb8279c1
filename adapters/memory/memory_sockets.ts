import { abortable } from "#async";
import type { Clock } from "../../src/ports/clock.ts";
import type {
  ConnectOptions,
  HttpOptions,
  HttpServer,
  RequestContext,
  Socket,
  Sockets,
  SocketsCapabilities,
  UpgradeOptions,
} from "../../src/ports/sockets.ts";
import {
  type MemoryFaults,
  type MemoryLine,
  type MemorySocket,
  memorySocketPair,
} from "../../transports/memory/memory_socket.ts";
import { cannotListen, subprotocolRefused, unreachable, upgradeRefused } from "../connect_error.ts";
import { BoundedSocket } from "./bounded_socket.ts";

/** Where everybody on a memory network comes from. */
const remoteAddress = "127.0.0.1";

/** First port that a memory network chooses by itself. */
const firstFreePort = 49_152;

/** Sockets that end together: one server's, or one client's. */
type Ends = Set<MemorySocket>;

interface Server {
  readonly fetch: HttpOptions["fetch"];
  readonly ends: Ends;
}

interface Accepted {
  readonly options: UpgradeOptions;
  readonly onSocket: (socket: Socket) => void;
}

/** HTTP and WebSockets inside one process: addresses, who serves them, and what is wrong with the lines. Tests make one; nodes share it. */
export class MemoryNetwork {
  /** Faults of every socket, present and future. */
  readonly faults: MemoryFaults = { delayMs: 0, blackhole: false };
  readonly #servers = new Map<string, Server>();
  readonly #owners = new Map<MemorySocket, Ends>();
  readonly #line: MemoryLine;
  #nextPort = firstFreePort;

  constructor(clock: Clock) {
    const ended = (socket: MemorySocket): void => {
      this.#owners.get(socket)?.delete(socket);
      this.#owners.delete(socket);
    };
    this.#line = { clock, faults: this.faults, ended };
  }

  /** Ends of sockets that are open: two for each connection. */
  get openSockets(): number {
    return this.#owners.size;
  }

  /** Drops every connection; who listens goes on listening. */
  dropAll(): void {
    for (const socket of [...this.#owners.keys()]) socket.terminate();
  }

  /** The sockets of one machine on this network. */
  sockets(): MemorySockets {
    return new MemorySockets(this);
  }

  /** Asks who serves the address, as the global `fetch` does. @throws TypeError when nobody does; the signal's reason. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    await this.#passable(request.signal);
    const server = this.#servers.get(addressOf(request.url));
    if (server === undefined) throw new TypeError(`fetch failed: nobody serves ${request.url}`);
    return await abortable(
      answer(() => server.fetch(request, { remoteAddress })),
      request.signal,
    );
  };

  /** As {@link Sockets.serve}. */
  listen({ port: wanted, hostname, fetch }: HttpOptions): HttpServer {
    const port = wanted === 0 ? this.#nextPort++ : wanted;
    const address = `${hostname}:${port}`;
    if (this.#servers.has(address)) throw cannotListen(hostname, port, "somebody listens there");
    const server: Server = { fetch, ends: new Set() };
    this.#servers.set(address, server);
    const close = async (): Promise<void> => {
      if (this.#servers.get(address) === server) this.#servers.delete(address);
      for (const socket of [...server.ends]) socket.terminate();
    };
    return { port, hostname, close };
  }

  /** As {@link Sockets.connect}; the client's end is added to `ends`. */
  async connect(url: string, options: ConnectOptions, ends: Ends): Promise<Socket> {
    const { signal, maxMessageBytes, protocols = [] } = options;
    signal.throwIfAborted();
    const request = upgradeRequest(url, options);
    await this.#passable(signal);
    const address = addressOf(request.url);
    const server = this.#servers.get(address);
    if (server === undefined) throw unreachable(url, "nobody listens");
    const { options: limits, onSocket } = await abortable(upgrade(server, request, url), signal);
    if (this.#servers.get(address) !== server) throw unreachable(url, "the server has closed");
    const { protocol = "" } = limits;
    const refusal = subprotocolRefused(url, protocols, protocol);
    if (refusal !== undefined) throw refusal;
    const [near, far] = memorySocketPair(this.#line, protocol);
    this.#own(near, ends);
    this.#own(far, server.ends);
    onSocket(new BoundedSocket(far, limits.maxMessageBytes));
    return new BoundedSocket(near, maxMessageBytes);
  }

  /** A network that swallows everything answers nobody. */
  async #passable(signal: AbortSignal): Promise<void> {
    if (this.faults.blackhole) await abortable(new Promise<never>(() => {}), signal);
  }

  #own(socket: MemorySocket, ends: Ends): void {
    this.#owners.set(socket, ends);
    ends.add(socket);
  }
}

/** The Sockets port on a {@link MemoryNetwork}: the sockets of one machine, which can be cut off alone. */
export class MemorySockets implements Sockets {
  readonly name = "memory";
  readonly capabilities: SocketsCapabilities = {
    status: true,
    drops: true,
    pauses: true,
    headers: true,
  };
  readonly #network: MemoryNetwork;
  readonly #ends: Ends = new Set();

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  connect(url: string, options: ConnectOptions): Promise<Socket> {
    return this.#network.connect(url, options, this.#ends);
  }

  async serve(options: HttpOptions): Promise<HttpServer> {
    return this.#network.listen(options);
  }

  /** Drops every connection that was opened from here. */
  dropAll(): void {
    for (const socket of [...this.#ends]) socket.terminate();
  }
}

/** What the application wants of a socket that it takes. @throws ActrError as it refuses. */
async function upgrade({ fetch }: Server, request: Request, url: string): Promise<Accepted> {
  let accepted: Accepted | undefined;
  const context: RequestContext = {
    remoteAddress,
    upgrade: (options, onSocket) => {
      accepted = { options, onSocket };
      return new Response(null);
    },
  };
  const response = await answer(() => fetch(request, context));
  // The call may have set it, which the compiler cannot see.
  const taken = accepted as Accepted | undefined;
  if (taken === undefined || !response.ok) throw upgradeRefused(url, response.status);
  return taken;
}

/** The application's response; 500 when it throws, as a server answers. */
async function answer(ask: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch {
    return new Response(null, { status: 500 });
  }
}

function upgradeRequest(url: string, { headers, protocols = [], signal }: ConnectOptions): Request {
  try {
    const request = new Request(url.replace(/^ws/, "http"), { headers: { ...headers }, signal });
    if (protocols.length > 0) request.headers.set("sec-websocket-protocol", protocols.join(", "));
    return request;
  } catch (cause) {
    throw unreachable(url, "this is no address", cause);
  }
}

/** `host:port` of a URL; 80 where it names none. */
function addressOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port === "" ? 80 : port}`;
}
