import type { Lane } from "../protocol/frame.ts";
import type { ActrId, ActrType } from "../protocol/ids.ts";

/** How a guest's code is run: a WebAssembly component of Actr's V2 world, or JavaScript inside an interpreter. */
export type GuestKind = "wasm" | "script";

/** A guest's code, as its package holds it. */
export interface GuestCode {
  readonly kind: GuestKind;
  readonly binary: Uint8Array;
}

/** What one instance of a guest may use. */
export interface GuestLimits {
  /** Function entries and turns of loops for each entry into the guest (`spec/guest.md` §18.1). Scripts have four of their interpreter for each. */
  readonly fuel: number;
  /** Linear memory, bytes: the sum of all memories. */
  readonly memoryBytes: number;
  /** Elements of tables, the sum of all. */
  readonly tableElements: number;
  /** Stack of a script, bytes; for WebAssembly it is the engine's. */
  readonly stackBytes: number;
  /** Longest code, bytes. */
  readonly codeBytes: number;
}

/** Errors that guests throw and are told, by the cases of `actr-error` (`spec/guest.md` §12). */
export type GuestErrorCode =
  | "unavailable"
  | "connection_not_ready"
  | "timed_out"
  | "not_found"
  | "permission_denied"
  | "invalid_argument"
  | "unknown_route"
  | "dependency_not_found"
  | "decode_failure"
  | "not_implemented"
  | "internal";

/** One `actr-error`, flat. */
export interface GuestError {
  readonly code: GuestErrorCode;
  /** Empty for `connection_not_ready` and `timed_out`, which carry none. */
  readonly message: string;
  /** Only of `connection_not_ready`. */
  readonly retryAfterMs?: number;
  /** Only of `dependency_not_found`. */
  readonly service?: string;
}

/** What a guest is asked, or asks. */
export interface GuestEnvelope {
  readonly requestId: string;
  readonly routeKey: string;
  readonly payload: Uint8Array;
}

/** One piece of a stream, as guests see it. */
export interface GuestChunk {
  readonly streamId: string;
  readonly sequence: bigint;
  readonly payload: Uint8Array;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  /** Unix milliseconds. */
  readonly timestampMs?: bigint;
}

/** A point in time, since 1970. */
export interface GuestTimestamp {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** A link to a peer, as guests are told of it; `relayed` and `status` only for WebRTC. */
export interface GuestPeerEvent {
  readonly peer: ActrId;
  readonly relayed?: boolean;
  readonly status?: "idle" | "connecting" | "connected" | "recovering";
}

/** What went wrong in the node. */
export interface GuestErrorEvent {
  readonly source: GuestError;
  readonly category:
    | "handler-panic"
    | "handler-error"
    | "signaling-failure"
    | "transport-failure"
    | "data-chunk-delivery-uncertain";
  readonly context: string;
  readonly timestamp: GuestTimestamp;
}

/** Entries without parameters of their own that may fail. */
export type GuestLifecycle = "on-start" | "on-ready" | "on-stop";

/** One entry into a guest, under the name of its export (`spec/guest.md` §10). */
export type GuestEntry =
  | { readonly name: "dispatch"; readonly envelope: GuestEnvelope }
  | { readonly name: GuestLifecycle }
  | { readonly name: "on-error"; readonly event: GuestErrorEvent }
  | { readonly name: "on-data-chunk"; readonly chunk: GuestChunk; readonly sender: ActrId }
  | {
      readonly name:
        | "on-signaling-connecting"
        | "on-signaling-connected"
        | "on-signaling-disconnected";
    }
  | {
      readonly name:
        | "on-websocket-connecting"
        | "on-websocket-connected"
        | "on-websocket-disconnected"
        | "on-webrtc-connecting"
        | "on-webrtc-connected"
        | "on-webrtc-disconnected";
      readonly event: GuestPeerEvent;
    }
  | {
      readonly name: "on-credential-renewed" | "on-credential-expiring";
      readonly event: { readonly newExpiry: GuestTimestamp };
    }
  | {
      readonly name: "on-mailbox-backpressure";
      readonly event: { readonly queueLength: bigint; readonly threshold: bigint };
    };

/** What a guest is told of one entry. */
export interface Invocation {
  /** Names the entry in the guest's calls; u64, never 0. */
  readonly token: bigint;
  readonly selfId: ActrId;
  /** Absent for lifecycle and observation. */
  readonly callerId?: ActrId;
  readonly requestId: string;
}

/** How an entry ended, when the guest ended it itself. */
export type EntryOutcome = { readonly ok: Uint8Array | undefined } | { readonly error: GuestError };

/** Whom a guest's call is for. */
export type GuestDestination =
  | { readonly kind: "host" | "workload" }
  | { readonly kind: "peer"; readonly id: ActrId };

/** What a guest may ask of the node, under the name of its import (`spec/guest.md` §13). */
export type HostCall = { readonly token: bigint } & (
  | {
      readonly name: "call" | "tell";
      readonly target: GuestDestination;
      readonly routeKey: string;
      readonly payload: Uint8Array;
    }
  | {
      readonly name: "call-raw";
      readonly target: ActrId;
      readonly routeKey: string;
      readonly payload: Uint8Array;
    }
  | { readonly name: "discover"; readonly type: ActrType }
  | { readonly name: "register-stream" | "unregister-stream"; readonly streamId: string }
  | {
      readonly name: "send-data-chunk";
      readonly target: GuestDestination;
      readonly chunk: GuestChunk;
      readonly lane: Lane;
    }
  | { readonly name: "log-message"; readonly level: string; readonly message: string }
);

/** The answer to a {@link HostCall}: bytes for `call` and `call-raw`, an id for `discover`, nothing for the others. */
export type HostAnswer =
  | { readonly ok: Uint8Array | ActrId | undefined }
  | { readonly error: GuestError };

/** Performs what a guest asks for; never fails: every failure is an answer. At once where it can be. */
export type HostCalls = (call: HostCall) => HostAnswer | Promise<HostAnswer>;

/** One live instance of a guest. Payloads that are handed over in either direction belong to the receiver. */
export interface GuestInstance {
  /** Bytes of linear memory that it has now; where it runs elsewhere, as last told. */
  readonly memoryBytes: number;
  /**
   * Enters the guest; entries may overlap wherever the guest awaits the node.
   * @throws ActrError with a fault (`src/guest/fault.ts`) when the guest trapped or exceeded a limit: the instance, with
   * all its entries, is of no use any more.
   */
  enter(entry: GuestEntry, invocation: Invocation): Promise<EntryOutcome>;
  /** Ends it: entries in flight fail with fault `discarded`. Idempotent. */
  discard(): void;
}

/** Code that was checked and compiled. */
export interface GuestImage extends AsyncDisposable {
  /** A fresh instance; nothing of the guest but its initialisers has run. @throws ActrError with fault `init_failed`; the signal's reason. */
  instantiate(calls: HostCalls, signal: AbortSignal): Promise<GuestInstance>;
}

/** Where guests run. */
export interface GuestHost {
  /** Checks and compiles code. @throws ActrError with fault `load_failed` or `resource_limit`; the signal's reason. */
  load(code: GuestCode, limits: GuestLimits, signal: AbortSignal): Promise<GuestImage>;
}
