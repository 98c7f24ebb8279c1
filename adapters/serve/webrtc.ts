import type { TransportIdentity } from "../../src/node/node_components.ts";
import { defaultNodeOptions, type SessionOptions } from "../../src/options.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import type { Random } from "../../src/ports/random.ts";
import type { IceOptions } from "../../transports/webrtc/webrtc_options.ts";
import { WebRtcTransport } from "../../transports/webrtc/webrtc_transport.ts";
import type { Runtime } from "./options.ts";

/** Whether and how peers are reached by WebRTC, as it takes where both are behind a NAT. */
export interface WebRtcSettings {
  /**
   * The WebRTC stack, or what loads one when the first peer is met, as `nodeDatachannel()` of `@roost/edge/node-datachannel`
   * does; `true` is the browser's own, or `@roamhq/wrtc`, loaded as late, which must be installed. A node without WebRTC
   * reaches, and is reached by, WebSocket alone. @default false, in browsers true
   */
  readonly webrtc?: PeerConnections | ((clock: Clock) => Promise<PeerConnections>) | boolean;
  /** STUN and TURN servers, and local ports. The login at TURN servers comes with the node's identity. @default none */
  readonly ice?: Partial<IceOptions>;
}

/** What a WebRTC transport needs of a runtime. */
export interface WebRtcComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly peerConnections: Runtime["peerConnections"];
}

/** The WebRTC transport of a node that has one, else none. */
export function webRtcTransports(
  { clock, random, log, ...runtime }: WebRtcComponents,
  { webrtc = false, ice = {} }: WebRtcSettings,
  { identity, signaling, turnLogin }: TransportIdentity,
  {
    heartbeatMs,
    compat,
  }: Pick<SessionOptions, "heartbeatMs" | "compat"> = defaultNodeOptions.session,
): WebRtcTransport[] {
  if (webrtc === false) return [];
  const peerConnections = async (): Promise<PeerConnections> => {
    if (typeof webrtc === "object") return webrtc;
    return await (webrtc === true ? runtime.peerConnections : webrtc)(clock);
  };
  const self = () => identity().source;
  const parts = { clock, random, log, signaling, peerConnections, self, turnLogin };
  const requireExchangeId = compat !== "0.3";
  return [new WebRtcTransport(parts, { ...ice, heartbeatMs, requireExchangeId })];
}
