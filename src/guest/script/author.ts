/** What kind of node it is, written `manufacturer:name:version`. */
export interface ActrType {
  readonly manufacturer: string;
  readonly name: string;
  readonly version: string;
}

/** One node. */
export interface ActrId {
  readonly realm: { readonly realmId: number };
  readonly serialNumber: bigint;
  readonly type: ActrType;
}

/** Whom a call is for: the node as peers see it, its workload, or a peer. */
export type Dest =
  | { readonly tag: "host" | "workload" }
  | { readonly tag: "peer"; readonly val: ActrId };

/** A request. */
export interface RpcEnvelope {
  readonly requestId: string;
  /** Names the method: `package.Service.Method`. */
  readonly routeKey: string;
  readonly payload: Uint8Array;
}

/** One piece of a stream; `timestampMs` counts from 1970. */
export interface DataChunk {
  readonly streamId: string;
  readonly sequence: bigint;
  readonly payload: Uint8Array;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly timestampMs?: bigint | undefined;
}

/** How a chunk travels. */
export type PayloadType = { readonly tag: "stream-reliable" | "stream-latency-first" };

/** What can go wrong. Throw one for the caller to be told the same; calls of the node throw an `Error` that is one. */
export type ActrError =
  | {
      readonly tag:
        | "unavailable"
        | "not-found"
        | "permission-denied"
        | "invalid-argument"
        | "unknown-route"
        | "decode-failure"
        | "not-implemented"
        | "internal";
      readonly val: string;
    }
  | { readonly tag: "timed-out"; readonly val?: undefined }
  | {
      readonly tag: "connection-not-ready";
      readonly val: { readonly retryAfterMs?: bigint | undefined };
    }
  | {
      readonly tag: "dependency-not-found";
      readonly val: { readonly serviceName: string; readonly message: string };
    };

/** A point in time, since 1970. */
export interface Timestamp {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** A link to a peer; `relayed` and `status` only for WebRTC. */
export interface PeerEvent {
  readonly peer: ActrId;
  readonly relayed?: boolean;
  readonly status?: { readonly tag: "idle" | "connecting" | "connected" | "recovering" };
}

/** What went wrong in the node. */
export interface ErrorEvent {
  readonly source: ActrError;
  readonly category: {
    readonly tag:
      | "handler-panic"
      | "handler-error"
      | "signaling-failure"
      | "transport-failure"
      | "data-chunk-delivery-uncertain";
  };
  readonly context: string;
  readonly timestamp: Timestamp;
}

/** When the node's credential ends. */
export interface CredentialEvent {
  readonly newExpiry: Timestamp;
}

/** Too much waits in the node's mailbox. */
export interface BackpressureEvent {
  readonly queueLen: bigint;
  readonly threshold: bigint;
}

/**
 * For whom the guest was entered, and what it may ask of the node meanwhile. It counts for that one entry: the node
 * answers `invalid-argument` to who asks later.
 */
export interface Context {
  readonly selfId: ActrId;
  /** Absent for lifecycle and hooks. */
  readonly callerId: ActrId | undefined;
  readonly requestId: string;
  /** Asks and waits for the answer, 30 s at most. @throws ActrError */
  call(target: Dest, routeKey: string, payload: Uint8Array): Promise<Uint8Array>;
  /** Sends what nobody answers. @throws ActrError */
  tell(target: Dest, routeKey: string, payload: Uint8Array): Promise<void>;
  /** As `call`, of a peer. @throws ActrError */
  callRaw(target: ActrId, routeKey: string, payload: Uint8Array): Promise<Uint8Array>;
  /** A node of this type. @throws ActrError `not-found` */
  discover(targetType: ActrType): Promise<ActrId>;
  /** From now on, chunks of this stream come to `onDataChunk`. @throws ActrError */
  registerStream(streamId: string): Promise<void>;
  /** @throws ActrError */
  unregisterStream(streamId: string): Promise<void>;
  /** @throws ActrError */
  sendDataChunk(target: Dest, chunk: DataChunk, payloadType: PayloadType): Promise<void>;
  /** Writes to the node's log; `console` does so too. Long lines are cut. */
  log(level: "trace" | "debug" | "info" | "warn" | "error", message: string): void;
}

type May<T> = T | Promise<T>;
type Hook<E> = (event: E, context: Context) => May<void>;
type Notice = (context: Context) => May<void>;

/** What a guest does; names and shapes are those of Actr's V2 world as JavaScript sees it. */
export interface Workload {
  /** Answers a request; nothing is an empty answer. */
  dispatch(envelope: RpcEnvelope, context: Context): May<Uint8Array | undefined>;
  /** Fails the node's start by throwing. */
  onStart?: Notice;
  onReady?: Notice;
  onStop?: Notice;
  onError?: Hook<ErrorEvent>;
  onDataChunk?: (chunk: DataChunk, sender: ActrId, context: Context) => May<void>;
  onSignalingConnecting?: Notice;
  onSignalingConnected?: Notice;
  onSignalingDisconnected?: Notice;
  onWebsocketConnecting?: Hook<PeerEvent>;
  onWebsocketConnected?: Hook<PeerEvent>;
  onWebsocketDisconnected?: Hook<PeerEvent>;
  onWebrtcConnecting?: Hook<PeerEvent>;
  onWebrtcConnected?: Hook<PeerEvent>;
  onWebrtcDisconnected?: Hook<PeerEvent>;
  onCredentialRenewed?: Hook<CredentialEvent>;
  onCredentialExpiring?: Hook<CredentialEvent>;
  onMailboxBackpressure?: Hook<BackpressureEvent>;
}

/**
 * Says what this guest does, once, while its script is first run.
 * @example
 * defineWorkload({ dispatch: ({ payload }) => payload });
 */
export function defineWorkload(workload: Workload): void {
  const { defineWorkload } = globalThis as { readonly defineWorkload?: (w: Workload) => void };
  if (defineWorkload === undefined) {
    throw new TypeError("defineWorkload is for scripts that run as guests of a node");
  }
  defineWorkload(workload);
}
