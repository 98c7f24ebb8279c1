/** Why a socket ended. */
export interface SocketClosed {
  /** WebSocket close code; 1006 when the connection was lost. */
  readonly code: number;
  readonly reason: string;
}

/** What a socket tells its owner. Set once, before the turn in which the socket was handed over ends. */
export interface SocketHandler {
  /** One binary message. The bytes belong to the receiver. */
  message(data: Uint8Array): void;
  /** One text message, in order with the binary ones. Without this, text is dropped. */
  text?(text: string): void;
  /** Called once, last. */
  closed(end: SocketClosed): void;
  /** A pong came back, where the runtime shows it. */
  pong?(): void;
  /** The send buffer has emptied after it had held more than the system took at once. */
  drained?(): void;
}

/** One open WebSocket, client or server side. */
export interface Socket {
  /** Bytes accepted by {@link Socket.send} and not yet taken by the system. */
  readonly bufferedAmount: number;
  /** Subprotocol that the server selected; empty without one. */
  readonly protocol: string;
  /** Sends one binary message. Never throws; on a closed socket it does nothing. Messages of one turn may share one system write. */
  send(data: Uint8Array): void;
  /** As {@link Socket.send} with one text message, in order with the binary ones. */
  sendText(text: string): void;
  /** Sends a ping with an empty payload. False when this runtime cannot: then it keeps the connection alive by itself. */
  ping(): boolean;
  /** Stops reading from the network until {@link Socket.resume}; false when this runtime cannot. */
  pause(): boolean;
  resume(): void;
  /** Starts the closing handshake. Idempotent. */
  close(code: number, reason: string): void;
  /** Drops the connection at once. */
  terminate(): void;
  /** Installs the handler; messages that arrived before are delivered first. */
  handle(handler: SocketHandler): void;
}

/** How to open a client socket. */
export interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer, the preferred one first; where there are some, a server that selects none is `unavailable`. */
  readonly protocols?: readonly string[];
  /** Largest message accepted, bytes (of UTF-8 for text); a longer one ends the socket with 1009. */
  readonly maxMessageBytes: number;
  readonly signal: AbortSignal;
}

/** How to accept a server socket. */
export interface UpgradeOptions {
  readonly maxMessageBytes: number;
  /** Subprotocol to select, one of those that the client offered in `Sec-WebSocket-Protocol`; none when absent. */
  readonly protocol?: string;
}

/** What the server knows of a request beyond {@link Request}; handed to the HTTP application as its environment. */
export interface RequestContext {
  /** Address of the socket's other end, without port. Never taken from headers. */
  readonly remoteAddress: string;
  /** Accepts the WebSocket upgrade of this request; absent when it asks for none. The response must be returned as it is. */
  readonly upgrade?: (options: UpgradeOptions, onSocket: (socket: Socket) => void) => Response;
}

/** How to serve HTTP. */
export interface HttpOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly hostname: string;
  readonly fetch: (request: Request, context: RequestContext) => Response | Promise<Response>;
}

/** A listening HTTP server. */
export interface HttpServer {
  /** The real port. */
  readonly port: number;
  readonly hostname: string;
  /** Stops listening, ends every connection and resolves when the port is free. Idempotent. */
  close(): Promise<void>;
}

/** What a runtime shows of its sockets: data, so that suites and callers branch on it and never on names. */
export interface SocketsCapabilities {
  /** Whether a client learns the HTTP status of a refused upgrade (`details.status` of the error). */
  readonly status: boolean;
  /** Whether {@link Socket.terminate} drops the connection without a closing handshake, so that the other end sees 1006. */
  readonly drops: boolean;
  /** Whether {@link Socket.pause} works, so that a reader that lags slows the sender down. */
  readonly pauses: boolean;
  /** Whether a client sends headers; where not, they travel in the URL's query, under their names in lower case. */
  readonly headers: boolean;
}

/** WebSocket client and HTTP/WebSocket server of one runtime. */
export interface Sockets {
  readonly name: string;
  readonly capabilities: SocketsCapabilities;
  /** Opens a client socket. @throws ActrError `unavailable`; `permission_denied` when the server answered 401 or 403 and the runtime shows it. */
  connect(url: string, options: ConnectOptions): Promise<Socket>;
  /** Binds and serves. Absent where the runtime cannot listen (browsers). @throws ActrError `config` when the port is taken. */
  serve?(options: HttpOptions): Promise<HttpServer>;
}
