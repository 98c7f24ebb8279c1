// Deno has no WebRTC, and so no types of it.
/// <reference lib="dom" />
import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import { Connection } from "../webrtc/connection.ts";
import { defaultLimits } from "../webrtc/peer_channel.ts";
import { StandardConnection, standardConfiguration } from "../webrtc/standard_connection.ts";

/** What every browser takes. */
const maxMessageBytes = 262_144;

/** As wrtc, which is Chromium's: `disconnected` after about 7 s, `failed` some 10 s later. */
const noticesLossWithinMs = 20_000;

/** Whether this is where WebRTC is: pages have it, workers do not. */
export function hasPeerConnections(): boolean {
  return "RTCPeerConnection" in globalThis;
}

/** The browser's own WebRTC; ports cannot be chosen. @throws ActrError `config` in workers, which have none. */
export async function browserPeerConnections(clock: Clock): Promise<PeerConnections> {
  if (!hasPeerConnections()) {
    throw new ActrError(
      "config",
      "there is no WebRTC here; connect from a page, not from a worker",
    );
  }
  const stack = { clock, maxMessageBytes, lowWaterEvents: true };
  return {
    name: "browser",
    capabilities: {
      // A page sends and shows tracks; their samples, which the port is about, Chromium alone gives it.
      media: false,
      turnTcp: true,
      iceRestart: true,
      maxMessageBytes,
      lowWaterEvents: true,
      noticesLossWithinMs,
      mediaNeedsExit: false,
    },
    create: (options, handler) =>
      new Connection(stack, options, handler, (connection) => {
        const native = new RTCPeerConnection(standardConfiguration(options));
        const low = options.lowWaterBytes ?? defaultLimits.lowWaterBytes;
        return new StandardConnection(native, connection, low);
      }),
  };
}
