// Deno has no WebRTC, and so no types of it.
/// <reference lib="dom" />
import type {
  CandidatePair,
  CandidateType,
  ChannelOptions,
  Description,
  PeerConnectionOptions,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
import type { Connection } from "./connection.ts";
import type { PeerChannel } from "./peer_channel.ts";
import type { RawConnection } from "./raw_connection.ts";
import type { PlacedCandidate } from "./sdp.ts";

/** The settings that every standard stack has, and ports, which some have. */
export interface StandardConfiguration extends RTCConfiguration {
  portRange?: { min: number; max: number };
}

/** The settings of a connection in the standard's words. */
export function standardConfiguration(options: PeerConnectionOptions): StandardConfiguration {
  return {
    iceServers: options.iceServers.map((server) => ({ ...server, urls: [...server.urls] })),
    iceTransportPolicy: options.relayOnly ? "relay" : "all",
    ...(options.portRange === undefined ? {} : { portRange: { ...options.portRange } }),
  };
}

/** A connection over anything that is shaped like the standard's `RTCPeerConnection`, events wired. */
export class StandardConnection implements RawConnection {
  readonly #native: RTCPeerConnection;
  readonly #connection: Connection;
  readonly #lowWaterBytes: number | undefined;

  /** @param lowWaterBytes where the stack is to tell that a channel's buffer is low; absent where it cannot. */
  constructor(native: RTCPeerConnection, connection: Connection, lowWaterBytes?: number) {
    this.#native = native;
    this.#connection = connection;
    this.#lowWaterBytes = lowWaterBytes;
    native.onicecandidate = ({ candidate }) => {
      if (candidate !== null) connection.gathered(candidate);
    };
    native.onconnectionstatechange = () => this.#look();
    native.ondatachannel = ({ channel }) => connection.offered(this.#wire(channel));
  }

  state(): PeerConnectionState {
    return this.#native.connectionState;
  }

  async describe(type: Description["type"], iceRestart: boolean): Promise<string> {
    const native = this.#native;
    const made = await (type === "offer"
      ? native.createOffer({ iceRestart })
      : native.createAnswer());
    await native.setLocalDescription(made);
    return made.sdp ?? "";
  }

  async setRemote(description: Description): Promise<void> {
    const native = this.#native;
    if (description.type === "offer" && native.signalingState === "have-local-offer") {
      await native.setLocalDescription({ type: "rollback" });
    }
    await native.setRemoteDescription(description);
  }

  addCandidate(candidate: PlacedCandidate): Promise<void> {
    return this.#native.addIceCandidate(candidate);
  }

  createChannel(label: string, options: ChannelOptions): PeerChannel {
    return this.#wire(this.#native.createDataChannel(label, options));
  }

  async candidatePair(): Promise<CandidatePair | undefined> {
    const stats = new Map<string, Stats>(await this.#native.getStats());
    const transport = [...stats.values()].find(({ type }) => type === "transport");
    const pair = stats.get(transport?.selectedCandidatePairId ?? "");
    const local = stats.get(pair?.localCandidateId ?? "")?.candidateType;
    const remote = stats.get(pair?.remoteCandidateId ?? "")?.candidateType;
    return local === undefined || remote === undefined ? undefined : { local, remote };
  }

  close(): void {
    this.#native.close();
  }

  #look(): void {
    this.#connection.changed(this.state());
  }

  #wire(native: RTCDataChannel): PeerChannel {
    native.binaryType = "arraybuffer";
    const channel = this.#connection.wrap({
      label: native.label,
      buffered: () => native.bufferedAmount,
      send: (data) => native.send(data as Uint8Array<ArrayBuffer>),
    });
    native.onopen = () => {
      // wrtc tells of ICE alone, and no more when the DTLS handshake is what ends last.
      this.#look();
      channel.opened();
    };
    native.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) channel.received(new Uint8Array(data));
    };
    native.onclose = () => channel.ended();
    if (this.#lowWaterBytes !== undefined) {
      native.bufferedAmountLowThreshold = this.#lowWaterBytes;
      native.onbufferedamountlow = () => channel.low();
    }
    if (native.readyState === "open") {
      this.#look();
      channel.opened();
    }
    return channel;
  }
}

/** The fields of statistics in use. */
interface Stats {
  readonly type: string;
  readonly selectedCandidatePairId?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: CandidateType;
}
