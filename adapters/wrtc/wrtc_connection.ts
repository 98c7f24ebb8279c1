import type { MediaCodec } from "../../src/media.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Description } from "../../src/ports/peer_connections.ts";
import type { Connection } from "../webrtc/connection.ts";
import { StandardConnection } from "../webrtc/standard_connection.ts";
import { exitExplicitly } from "./explicit_exit.ts";
import { letHeapGrow } from "./heap_growth.ts";
import type { WrtcConnection as Native, Wrtc } from "./library.ts";
import { MediaReceiver } from "./media_receiver.ts";
import { MediaSender } from "./media_sender.ts";

/** Who else a {@link WrtcConnection} needs. */
export interface WrtcConnectionParts {
  readonly wrtc: Wrtc;
  readonly clock: Clock;
  readonly native: Native;
  readonly connection: Connection;
}

/** The standard's connection, and media by what the library has beyond the standard. */
export class WrtcConnection extends StandardConnection {
  readonly #parts: WrtcConnectionParts;
  readonly #senders: MediaSender[] = [];
  readonly #receiver: MediaReceiver;

  constructor(parts: WrtcConnectionParts) {
    const { wrtc, clock, native, connection } = parts;
    super(native, connection);
    exitExplicitly();
    letHeapGrow();
    this.#parts = parts;
    const received = connection.sampled.bind(connection);
    this.#receiver = new MediaReceiver({ wrtc, clock, received });
    native.ontrack = ({ transceiver, track }) => {
      if (transceiver.mid !== null) this.#receiver.read(transceiver.mid, track);
    };
  }

  openTrack(codec: MediaCodec): MediaSender {
    const { wrtc, native } = this.#parts;
    const sender = new MediaSender(wrtc, native, codec);
    this.#senders.push(sender);
    return sender;
  }

  /** The library chooses the names of tracks; peers are to read those that were asked for. */
  override async describe(type: Description["type"], iceRestart: boolean): Promise<string> {
    const written = await super.describe(type, iceRestart);
    return this.#senders.reduce((sdp, { writtenId, id }) => sdp.replaceAll(writtenId, id), written);
  }

  override close(): void {
    this.#receiver.end();
    super.close();
  }
}
