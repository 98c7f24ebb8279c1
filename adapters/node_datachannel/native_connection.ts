import type { DataChannel, PeerConnection as NativePeerConnection } from "node-datachannel";
import { ActrError } from "../../src/errors.ts";
import type {
  CandidatePair,
  CandidateType,
  ChannelOptions,
  Description,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
import type { Connection, RawConnection } from "../webrtc/connection.ts";
import type { PeerChannel } from "../webrtc/peer_channel.ts";
import { type PlacedCandidate, withoutCandidates } from "../webrtc/sdp.ts";

/** A connection of node-datachannel's own interface: its imitation of the standard's hides and delays too much. */
export class NativeConnection implements RawConnection {
  readonly #native: NativePeerConnection;
  readonly #connection: Connection;
  readonly #lowWaterBytes: number;
  readonly #unopened = new Set<DataChannel>();

  constructor(native: NativePeerConnection, connection: Connection, lowWaterBytes: number) {
    this.#native = native;
    this.#connection = connection;
    this.#lowWaterBytes = lowWaterBytes;
    native.onLocalCandidate((candidate, sdpMid) => connection.gathered({ candidate, sdpMid }));
    native.onStateChange((state) => connection.changed(state as PeerConnectionState));
    native.onDataChannel((channel) => connection.offered(this.#wire(channel)));
  }

  async describe(type: Description["type"], iceRestart: boolean): Promise<string> {
    if (iceRestart) {
      throw new ActrError(
        "not_implemented",
        "node-datachannel cannot restart ICE; make a new connection",
      );
    }
    this.#native.setLocalDescription(type);
    const { sdp } = this.#native.localDescription() ?? { sdp: "" };
    // With them, the answerer checks before the offerer listens, and its next check comes a second later.
    return withoutCandidates(sdp);
  }

  async setRemote({ sdp, type }: Description): Promise<void> {
    if (type === "offer" && this.#native.signalingState() === "have-local-offer") {
      this.#native.setLocalDescription("rollback");
    }
    this.#native.setRemoteDescription(sdp, type);
  }

  async addCandidate({ candidate, sdpMid }: PlacedCandidate): Promise<void> {
    this.#native.addRemoteCandidate(candidate, sdpMid);
  }

  createChannel(label: string, { ordered, ...options }: ChannelOptions): PeerChannel {
    return this.#wire(
      this.#native.createDataChannel(label, { ...options, unordered: ordered === false }),
    );
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
    // One that never opened is not ended with its connection, and would keep the process alive.
    for (const channel of this.#unopened) channel.close();
    this.#native.close();
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

/** A Buffer is a view of its own bytes here; readers expect the plain class. */
function plain(data: Uint8Array | ArrayBuffer): Uint8Array {
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
