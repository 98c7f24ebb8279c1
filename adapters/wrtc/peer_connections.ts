import type { Clock } from "../../src/ports/clock.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import { Connection } from "../webrtc/connection.ts";
import { loadNative } from "../webrtc/load.ts";
import { standardConfiguration } from "../webrtc/standard_connection.ts";
import { LingeringConnection } from "./lingering_connection.ts";

/** One byte more, and the channel dies without a word. */
const maxMessageBytes = 262_144;

/** From the peer's death to `failed` it takes about 16 s; `disconnected`, where it is told, comes after about 7 s. */
const noticesLossWithinMs = 20_000;

/**
 * WebRTC by `@roamhq/wrtc`, the same on Node, Deno and Bun; it also gathers loopback addresses.
 * A process that closed its connections ends by itself, but one that ever made a media source must end by `process.exit()`.
 * About 9,000 messages a second is its ceiling.
 * @throws ActrError `config` when the package does not load, and in worker threads.
 */
export async function wrtcPeerConnections(clock: Clock): Promise<PeerConnections> {
  const { default: wrtc } = await loadNative("@roamhq/wrtc", () => import("@roamhq/wrtc"));
  const stack = { clock, maxMessageBytes, lowWaterEvents: false };
  return {
    name: "@roamhq/wrtc",
    capabilities: {
      media: true,
      turnTcp: true,
      iceRestart: true,
      maxMessageBytes,
      lowWaterEvents: false,
      noticesLossWithinMs,
      mediaNeedsExit: true,
    },
    create: (options, handler) =>
      new Connection(stack, options, handler, (connection) => {
        const native = new wrtc.RTCPeerConnection(standardConfiguration(options));
        return new LingeringConnection(native, connection, clock);
      }),
  };
}
