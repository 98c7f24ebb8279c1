// Deno has no WebRTC, and so no types of it.
/// <reference lib="dom" />
import type { MediaCodec } from "../../src/media.ts";
import type { Description } from "../../src/ports/peer_connections.ts";
import type { Connection } from "../webrtc/connection.ts";
import { streamName } from "../webrtc/local_tracks.ts";
import { withTrackNames } from "../webrtc/media_sections.ts";
import { StandardConnection } from "../webrtc/standard_connection.ts";
import { LiveReceiver } from "./live_receiver.ts";
import { LiveSender } from "./live_sender.ts";

/** The browser's connection, which records, plays, encodes and decodes tracks itself. */
export class BrowserConnection extends StandardConnection {
  readonly receiver: LiveReceiver;
  readonly #native: RTCPeerConnection;
  readonly #senders: LiveSender[] = [];

  constructor(native: RTCPeerConnection, connection: Connection, lowWaterBytes: number) {
    super(native, connection, lowWaterBytes);
    this.#native = native;
    this.receiver = new LiveReceiver(native);
  }

  openTrack(codec: MediaCodec): LiveSender {
    const sender = new LiveSender(this.#native, codec);
    this.#senders.push(sender);
    return sender;
  }

  /** The browser chooses the names of tracks; peers are to read those that were asked for. */
  override async describe(type: Description["type"], iceRestart: boolean): Promise<string> {
    const written = await super.describe(type, iceRestart);
    const names = this.#senders.map(
      ({ mid, codec, id }) => [mid ?? "", `${streamName(codec)} ${id}`] as const,
    );
    return withTrackNames(written, new Map(names));
  }
}
