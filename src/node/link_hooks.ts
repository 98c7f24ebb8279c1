import type { EventHook } from "../hooks.ts";
import type { Link } from "../ports/transport.ts";
import type { SessionEvents } from "../session/session_manager.ts";
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

/** Link events as hooks, in both directions and after verification; every "connecting" has its end (`spec/node.md` D-37). */
export function linkHooks(
  hooks: HookQueue,
  onLost: (link: Link, reason: string) => void,
): Omit<SessionEvents, "frame"> {
  return {
    connecting(peer, transport) {
      const hook = hooksOf[transport]?.connecting;
      if (hook !== undefined) hooks.emit(hook, { peer });
    },
    linked(peer, link) {
      const names = hooksOf[link.transport];
      if (names === undefined) return;
      if (link.direction === "inbound") hooks.emit(names.connecting, { peer });
      hooks.emit(names.connected, { peer });
    },
    unlinked(peer, transport, link, end) {
      if (link !== undefined) onLost(link, end.reason);
      const hook = hooksOf[transport]?.disconnected;
      if (hook !== undefined) hooks.emit(hook, { peer });
    },
  };
}
