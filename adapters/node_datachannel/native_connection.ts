import type { DataChannel, PeerConnection as NativePeerConnection, Track } from "node-datachannel";
import { ActrError } from "../../src/errors.ts";
import type { MediaCodec } from "../../src/media.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";
import type {
  CandidatePair,
  CandidateType,
  ChannelOptions,
  Description,
  IceCandidate,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
import type { Connection } from "../webrtc/connection.ts";
import type { PeerChannel } from "../webrtc/peer_channel.ts";
import type { RawConnection } from "../webrtc/raw_connection.ts";
import { type PlacedCandidate, usernameFragment, withoutCandidates } from "../webrtc/sdp.ts";
import { type MediaLibrary, MediaSender } from "./media_sender.ts";
import { readRtp } from "./rtp.ts";

/**
 * How long an answerer keeps the offerer's candidates back, milliseconds: it begins the DTLS handshake, so the offerer
 * must be connected first, or the greeting is lost and comes again a second later. Measured on loopback, 40 openings each:
 * every second one took 1,000 ms without, two took it with 5 ms, none was above 110 ms with 10 or 20 ms.
 */
const answererHoldMs = 20;

/** Candidates kept back; an owner that never answers must not gather more. */
const maxHeldCandidates = 256;

/** A connection of node-datachannel's own interface: its imitation of the standard's hides and delays too much. */
export class NativeConnection implements RawConnection {
  readonly #native: NativePeerConnection;
  readonly #library: MediaLibrary;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #lowWaterBytes: number;
  readonly #unopened = new Set<DataChannel>();
  /** The offerer's candidates while they are kept back. */
  #held: PlacedCandidate[] | undefined;
  #release: Timer | undefined;
  /** Candidates of this side while its first offer waits for the answer. */
  #untold: IceCandidate[] | undefined;
  /** The peer's tracks: those that nobody holds are collected, and then silent. */
  readonly #tracks = new Set<Track>();
  #senders = 0;

  constructor({ native, library, connection, clock }: NativeParts, lowWaterBytes: number) {
    this.#native = native;
    this.#library = library;
    this.#connection = connection;
    this.#clock = clock;
    this.#lowWaterBytes = lowWaterBytes;
    native.onLocalCandidate((candidate, sdpMid) => this.#gathered({ candidate, sdpMid }));
    native.onStateChange((state) => connection.changed(state as PeerConnectionState));
    native.onDataChannel((channel) => connection.offered(this.#wire(channel)));
    native.onTrack((track) => this.#receive(track));
  }

  async describe(type: Description["type"], iceRestart: boolean): Promise<string> {
    if (iceRestart) {
      throw new ActrError(
        "not_implemented",
        "node-datachannel cannot restart ICE; make a new connection",
      );
    }
    if (type === "offer" && this.#connection.state === "new") this.#untold ??= [];
    this.#native.setLocalDescription(type);
    if (type === "answer") this.#releaseLater();
    const { sdp } = this.#native.localDescription() ?? { sdp: "" };
    // With them, the answerer checks before the offerer listens, and its next check comes a second later.
    return withoutCandidates(sdp);
  }

  async setRemote({ sdp, type }: Description): Promise<void> {
    if (type === "offer" && this.#native.signalingState() === "have-local-offer") {
      this.#native.setLocalDescription("rollback");
    }
    this.#native.setRemoteDescription(sdp, type);
    this.#tell();
    // Only the first handshake matters.
    if (type === "offer" && this.#connection.state === "new") this.#held ??= [];
  }

  async addCandidate(placed: PlacedCandidate): Promise<void> {
    if (this.#held === undefined) {
      this.#native.addRemoteCandidate(placed.candidate, placed.sdpMid);
    } else if (this.#held.length < maxHeldCandidates) this.#held.push(placed);
  }

  createChannel(label: string, { ordered, ...options }: ChannelOptions): PeerChannel {
    return this.#wire(
      this.#native.createDataChannel(label, { ...options, unordered: ordered === false }),
    );
  }

  openTrack(codec: MediaCodec): MediaSender {
    const [library, native] = [this.#library, this.#native];
    // Both sides may make one at once: the name has to be this side's own.
    const side = usernameFragment(native.localDescription()?.sdp ?? "").replace(/\W/g, "");
    return new MediaSender({ library, native, codec, mid: `${side}-${++this.#senders}` });
  }

  async candidatePair(): Promise<CandidatePair | undefined> {
    const pair = this.#native.getSelectedCandidatePair();
    if (pair === null) return undefined;
    return {
      local: pair.local.type as CandidateType,
      remote: pair.remote.type as CandidateType,
    };
  }

  close(): void {
    this.#release?.cancel();
    // One that never opened is not ended with its connection, and would keep the process alive.
    for (const channel of this.#unopened) channel.close();
    this.#tracks.clear();
    this.#native.close();
  }

  /**
   * A peer that knows where this side is begins the DTLS handshake the moment that an answer gives ICE its secrets, and the
   * library reads the fingerprint in the answer only after that: a certificate that comes in between is refused. Measured on
   * a busy machine: 6 of 28 first connections to wrtc failed, none of 28 since the peer learns it when the answer is taken.
   */
  #gathered(candidate: IceCandidate): void {
    if (this.#untold === undefined) this.#connection.gathered(candidate);
    else this.#untold.push(candidate);
  }

  #tell(): void {
    const untold = this.#untold ?? [];
    this.#untold = undefined;
    for (const candidate of untold) this.#connection.gathered(candidate);
  }

  #receive(track: Track): void {
    this.#tracks.add(track);
    const mid = track.mid();
    track.onMessage((packet) => {
      const read = readRtp(packet);
      if (read === undefined) return;
      const { payload, timestamp, payloadType } = read;
      this.#connection.sampled(mid, { data: plain(payload), timestamp, payloadType });
    });
  }

  #releaseLater(): void {
    if (this.#held === undefined) return;
    this.#release = this.#clock.timer(this.#clock.now() + answererHoldMs, () => {
      const held = this.#held ?? [];
      this.#held = undefined;
      // One that cannot be used must not keep the others out.
      void Promise.allSettled(held.map((placed) => this.addCandidate(placed)));
    });
  }

  #wire(native: DataChannel): PeerChannel {
    const channel = this.#connection.wrap({
      label: native.getLabel(),
      buffered: () => native.bufferedAmount(),
      send: (data) => void native.sendMessageBinary(data),
    });
    const opened = (): void => {
      this.#unopened.delete(native);
      channel.opened();
    };
    this.#unopened.add(native);
    native.onOpen(opened);
    native.onMessage((data) => {
      if (typeof data !== "string") channel.received(plain(data));
    });
    native.onBufferedAmountLow(() => channel.low());
    native.setBufferedAmountLowThreshold(this.#lowWaterBytes);
    native.onClosed(() => channel.ended());
    if (native.isOpen()) opened();
    return channel;
  }
}

/** Who else a {@link NativeConnection} needs. */
export interface NativeParts {
  readonly native: NativePeerConnection;
  readonly library: MediaLibrary;
  readonly connection: Connection;
  readonly clock: Clock;
}

/** A Buffer is a view of its own bytes here; readers expect the plain class. */
function plain(data: Uint8Array | ArrayBuffer): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
