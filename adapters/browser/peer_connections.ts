// Deno has no WebRTC, and so no types of it.
/// <reference lib="dom" />
import { ActrError } from "../../src/errors.ts";
import { mediaCodecs } from "../../src/media.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { MediaCapabilities } from "../../src/ports/media.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import { Connection } from "../webrtc/connection.ts";
import { channelLimits } from "../webrtc/peer_channel.ts";
import { standardConfiguration } from "../webrtc/standard_connection.ts";
import { BrowserConnection } from "./browser_connection.ts";
import { sendable } from "./live_sender.ts";

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
  // Tracks are what every browser has; their samples, raw or encoded, some give to pages, each in its way.
  const media: MediaCapabilities = { form: "live", codecs: sendable(mediaCodecs) };
  const stack = { clock, maxMessageBytes, lowWaterEvents: true, media };
  return {
    name: "browser",
    capabilities: {
      media,
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
        const { lowWaterBytes } = channelLimits(options);
        return new BrowserConnection(native, connection, lowWaterBytes);
      }),
  };
}
