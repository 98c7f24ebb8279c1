import type { NodeContext } from "./context.ts";
import type { ActrError } from "./errors.ts";
import type { ActrId } from "./protocol/ids.ts";

/** A link to a peer changes (`spec/node.md` §11.1). */
export interface PeerEvent {
  readonly peer: ActrId;
  /** Whether traffic goes over a relay; only known for WebRTC. */
  readonly relayed?: boolean;
  /** Where a WebRTC session stands. */
  readonly status?: "idle" | "connecting" | "connected" | "recovering";
}

/** The node's credential changes. */
export interface CredentialEvent {
  /** Unix milliseconds at which the credential ends: the new one's, or for "expiring" the current one's. */
  readonly expiresAt: number;
  /** The ActrId that the node had before, when the new credential is for another one. */
  readonly previousId?: ActrId;
}

/** The mailbox has grown to its threshold. */
export interface BackpressureEvent {
  readonly queueLength: number;
  readonly threshold: number;
}

/** What went wrong, and where. */
export interface ErrorEvent {
  readonly error: ActrError;
  readonly category:
    | "handler_error"
    | "handler_crash"
    | "dead_letter"
    | "signaling_failure"
    | "transport_failure"
    | "delivery_uncertain";
  /** Where: names as in the log, such as `request_id`. */
  readonly facts: Readonly<Record<string, string>>;
  /** The facts as one text: `key=value; …`. */
  readonly context: string;
  /** Unix milliseconds. */
  readonly at: number;
}

type Hook<Event> = (context: NodeContext, event: Event) => void | Promise<void>;

/** What a node tells its owner: the sixteen hooks of Actr (`spec/node.md` §11). Only `onStart` can stop a start. */
export interface Hooks {
  /** Outbound calls work, inbound requests are held. Throwing ends the start. */
  onStart?(context: NodeContext): void | Promise<void>;
  /** Everything works; requests are let in when it returns. */
  onReady?(context: NodeContext): void | Promise<void>;
  /** Requests are no longer let in, running handlers are done. */
  onStop?(context: NodeContext): void | Promise<void>;
  onError?: Hook<ErrorEvent>;
  onSignalingConnecting?: Hook<{ readonly attempt: number }>;
  onSignalingConnected?: Hook<Record<never, never>>;
  onSignalingDisconnected?: Hook<{ readonly reason: string }>;
  onWebSocketConnecting?: Hook<PeerEvent>;
  onWebSocketConnected?: Hook<PeerEvent>;
  onWebSocketDisconnected?: Hook<PeerEvent>;
  onWebRtcConnecting?: Hook<PeerEvent>;
  onWebRtcConnected?: Hook<PeerEvent>;
  onWebRtcDisconnected?: Hook<PeerEvent>;
  onCredentialRenewed?: Hook<CredentialEvent>;
  onCredentialExpiring?: Hook<CredentialEvent>;
  onMailboxBackpressure?: Hook<BackpressureEvent>;
}

/** The three hooks that the node waits for. */
export type LifecycleHook = "onStart" | "onReady" | "onStop";

/** The thirteen that are delivered from a queue. */
export type EventHook = Exclude<keyof Hooks, LifecycleHook>;

/** What an event hook is told. */
export type HookPayload<Name extends EventHook> = Parameters<NonNullable<Hooks[Name]>>[1];
