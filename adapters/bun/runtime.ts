/** The members of Bun's server-side WebSocket that Roost uses. */
export interface BunWebSocket<Data> {
  readonly data: Data;
  readonly readyState: number;
  binaryType: "uint8array";
  send(data: Uint8Array | string): number;
  ping(): number;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  getBufferedAmount(): number;
}

/** Callbacks and limits of all sockets of one Bun server. */
export interface BunWebSocketOptions<Data> {
  open(ws: BunWebSocket<Data>): void;
  message(ws: BunWebSocket<Data>, data: string | Uint8Array): void;
  close(ws: BunWebSocket<Data>, code: number, reason: string): void;
  pong(ws: BunWebSocket<Data>): void;
  drain(ws: BunWebSocket<Data>): void;
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
  readonly idleTimeout: number;
  readonly sendPings: boolean;
  readonly perMessageDeflate: boolean;
}

/** A server of `Bun.serve`. */
export interface BunServer<Data> {
  readonly port: number;
  upgrade(
    request: Request,
    options: { readonly data: Data; readonly headers: Readonly<Record<string, string>> },
  ): boolean;
  requestIP(request: Request): { readonly address: string } | null;
  stop(closeActiveConnections: boolean): Promise<void>;
}

/** What `Bun.serve` takes. */
export interface BunServeOptions<Data> {
  readonly port: number;
  readonly hostname: string;
  readonly development: boolean;
  readonly reusePort: boolean;
  readonly idleTimeout: number;
  fetch(
    request: Request,
    server: BunServer<Data>,
  ): Response | undefined | Promise<Response | undefined>;
  error(error: unknown): Response;
  readonly websocket: BunWebSocketOptions<Data>;
}

/** The part of the global `Bun` that Roost uses; declared here so that no types of Bun are needed. */
export interface BunRuntime {
  serve<Data>(options: BunServeOptions<Data>): BunServer<Data>;
}
