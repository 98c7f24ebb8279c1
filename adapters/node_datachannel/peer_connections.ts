import type { RtcConfig } from "node-datachannel";
import { mediaCodecs } from "../../src/media.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { MediaCapabilities } from "../../src/ports/media.ts";
import type { PeerConnectionOptions, PeerConnections } from "../../src/ports/peer_connections.ts";
import { Connection } from "../webrtc/connection.ts";
import { lingerMs, loadNative } from "../webrtc/load.ts";
import { channelLimits } from "../webrtc/peer_channel.ts";
import { nativeIceServers } from "./ice_servers.ts";
import { maxSampleBytes } from "./media_sender.ts";
import { NativeConnection } from "./native_connection.ts";

/** Settings of the adapter. */
export interface NodeDatachannelOptions {
  /** The only local address to use; needed where there is none but loopback. @default every address but loopback */
  readonly bindAddress?: string;
}

/** What it takes and, unless the peer says less, sends. */
const maxMessageBytes = 262_144;

/** From the peer's death to `failed` it takes 14 to 42 s: a session needs a heartbeat of its own. */
const noticesLossWithinMs = 45_000;

/** It carries what others have encoded, packet by packet. */
const media: MediaCapabilities = { form: "rtp", codecs: mediaCodecs, maxSampleBytes };

/**
 * WebRTC by `node-datachannel`, an optional package: media as RTP alone, no TURN over TCP, no ICE restart, but fifteen times
 * the message rate of wrtc. Runs on Node, Deno and Bun. A process that carried media stays up until an explicit exit, or
 * until the objects of its tracks are collected.
 * @throws ActrError `config` when the package does not load, and in worker threads.
 */
export async function nodeDatachannelPeerConnections(
  clock: Clock,
  { bindAddress }: NodeDatachannelOptions = {},
): Promise<PeerConnections> {
  const library = await loadNative("node-datachannel", () => import("node-datachannel"));
  const stack = { clock, maxMessageBytes, lowWaterEvents: true, media, lingerMs };
  return {
    name: "node-datachannel",
    capabilities: {
      media,
      turnTcp: false,
      iceRestart: false,
      maxMessageBytes,
      lowWaterEvents: true,
      noticesLossWithinMs,
      mediaNeedsExit: true,
    },
    create: (options, handler) =>
      new Connection(stack, options, handler, (connection) => {
        const native = new library.PeerConnection("roost", configuration(options, bindAddress));
        const { lowWaterBytes } = channelLimits(options);
        return new NativeConnection({ native, library, connection, clock }, lowWaterBytes);
      }),
  };
}

function configuration(options: PeerConnectionOptions, bindAddress: string | undefined): RtcConfig {
  const { portRange, relayOnly } = options;
  return {
    iceServers: nativeIceServers(options.iceServers),
    iceTransportPolicy: relayOnly ? "relay" : "all",
    maxMessageSize: maxMessageBytes,
    disableAutoNegotiation: true,
    // A connection that begins with data alone could otherwise never carry media.
    forceMediaTransport: true,
    ...(bindAddress === undefined ? {} : { bindAddress }),
    ...(portRange === undefined
      ? {}
      : { portRangeBegin: portRange.min, portRangeEnd: portRange.max }),
  };
}
