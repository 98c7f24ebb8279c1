/** A server of `Deno.serve`. */
export interface DenoServer {
  readonly addr: { readonly port: number };
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
}

/** What `Deno.serve` takes. */
export interface DenoServeOptions {
  readonly port: number;
  readonly hostname: string;
  readonly signal: AbortSignal;
  onListen(): void;
  onError(error: unknown): Response;
}

/** What `Deno.serve` tells of a request. */
export interface DenoRequestInfo {
  readonly remoteAddr: { readonly hostname: string };
}

/** The part of the global `Deno` that Roost uses; declared here so that no types of Deno are needed. */
export interface DenoRuntime {
  serve(
    options: DenoServeOptions,
    handler: (request: Request, info: DenoRequestInfo) => Response | Promise<Response>,
  ): DenoServer;
  upgradeWebSocket(
    request: Request,
    options: { readonly idleTimeout: number },
  ): { readonly socket: WebSocket; readonly response: Response };
}
