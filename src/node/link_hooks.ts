import type { EventHook, PeerEvent } from "../hooks.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link } from "../ports/transport.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { LinkEnd, SessionEvents } from "../session/session_manager.ts";
import { transportEvent } from "./error_events.ts";
import type { HookQueue } from "./hooks.ts";

type LinkHook = Extract<EventHook, `on${"WebSocket" | "WebRtc"}${string}`>;
type Stage = "connecting" | "connected" | "disconnected";

/** The hooks of each transport that has some; the memory transport is silent. */
const hooksOf: Readonly<Record<string, Readonly<Record<Stage, LinkHook>>>> = {
  websocket: {
    connecting: "onWebSocketConnecting",
    connected: "onWebSocketConnected",
    disconnected: "onWebSocketDisconnected",
  },
  webrtc: {
    connecting: "onWebRtcConnecting",
    connected: "onWebRtcConnected",
    disconnected: "onWebRtcDisconnected",
  },
};

/** What {@link linkHooks} works with. */
export interface LinkHookParts {
  readonly clock: Clock;
  readonly hooks: HookQueue;
  /** Told of every link that ended, before the hooks are. */
  readonly onEnded: (link: Link, end: LinkEnd) => void;
  /** Told of every link that has stopped to work though it has not ended, before the hooks are. */
  readonly onStopped: (link: Link) => void;
}

/**
 * Link events as hooks, in both directions and after verification; every "connecting" has its end
 * (`spec/node.md` D-37). A link that was lost and a dial that failed are errors too (D-38).
 */
export function linkHooks({
  clock,
  hooks,
  onEnded,
  onStopped,
}: LinkHookParts): Pick<SessionEvents, "connecting" | "linked" | "working" | "unlinked"> {
  return {
    connecting(peer, transport) {
      const hook = hooksOf[transport]?.connecting;
      if (hook !== undefined) hooks.emit(hook, peerEvent(peer, transport, "connecting"));
    },
    linked(peer, link) {
      const names = hooksOf[link.transport];
      if (names === undefined) return;
      if (link.direction === "inbound") {
        hooks.emit(names.connecting, peerEvent(peer, link.transport, "connecting"));
      }
      hooks.emit(names.connected, connectedEvent(peer, link));
    },
    working(peer, link, works) {
      if (!works) onStopped(link);
      const names = hooksOf[link.transport];
      if (names === undefined) return;
      if (works) hooks.emit(names.connected, connectedEvent(peer, link));
      else hooks.emit(names.disconnected, peerEvent(peer, link.transport, "recovering"));
    },
    unlinked(peer, transport, link, end) {
      const { by, reason } = end;
      if (link !== undefined) onEnded(link, end);
      const hook = hooksOf[transport]?.disconnected;
      if (hook !== undefined) hooks.emit(hook, peerEvent(peer, transport, "idle"));
      if (by !== "lost") return;
      const stage = link === undefined ? "dial" : "link";
      hooks.emit("onError", transportEvent({ peer, transport, stage, reason }, clock.now()));
    },
  };
}

/** Only WebRTC sessions have a status. */
function peerEvent(peer: ActrId, transport: string, status: PeerEvent["status"]): PeerEvent {
  return transport === "webrtc" && status !== undefined ? { peer, status } : { peer };
}

function connectedEvent(peer: ActrId, { transport, relayed }: Link): PeerEvent {
  const event = peerEvent(peer, transport, "connected");
  return relayed === undefined ? event : { ...event, relayed };
}
