import type { Clock } from "../../src/ports/clock.ts";
import type { MediaCapabilities } from "../../src/ports/media.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import { Connection } from "../webrtc/connection.ts";
import { lingerMs, loadNative } from "../webrtc/load.ts";
import { standardConfiguration } from "../webrtc/standard_connection.ts";
import type { Wrtc } from "./library.ts";
import { WrtcConnection } from "./wrtc_connection.ts";

/** One byte more, and the channel dies without a word. */
const maxMessageBytes = 262_144;

/** From the peer's death to `failed` it takes about 16 s; `disconnected`, where it is told, comes after about 7 s. */
const noticesLossWithinMs = 20_000;

/** It encodes and decodes by itself, and shows no RTP. It receives AV1 and VP9 too. */
const media: MediaCapabilities = { form: "raw", codecs: ["opus", "VP8"] };

/**
 * WebRTC by `@roamhq/wrtc`, the same on Node, Deno and Bun; it also gathers loopback addresses.
 * A process that closed its connections ends by itself, but it could crash then, and surely would after media: from the first
 * connection on, this adapter makes that an explicit exit. Where it cannot, as in tests by `deno test`, the crash comes at
 * the end (SIGSEGV).
 * About 9,000 messages a second is its ceiling.
 *
 * Known defect of the library: a peer that closes while this side is within `send` can end the process by SIGSEGV, since
 * another thread takes the channel away in the middle of the call. Measured on a busy machine, Node: 6 of 269 closings while
 * this side sent without pause, none of 1,800 while it did not. No order of closing mends it from here; where peers are
 * fast and fickle, node-datachannel (0 of 80) is the safer choice.
 * @throws ActrError `config` when the package does not load, and in worker threads.
 */
export async function wrtcPeerConnections(clock: Clock): Promise<PeerConnections> {
  const library = await loadNative("@roamhq/wrtc", () => import("@roamhq/wrtc"));
  const wrtc = library.default as unknown as Wrtc;
  const stack = { clock, maxMessageBytes, lowWaterEvents: false, media, lingerMs };
  return {
    name: "@roamhq/wrtc",
    capabilities: {
      media,
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
        return new WrtcConnection({ wrtc, clock, native, connection });
      }),
  };
}
