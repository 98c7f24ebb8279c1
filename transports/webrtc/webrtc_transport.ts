import { abortable } from "#async";
import type { TurnCredential } from "../../src/identity/issued_identity.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import type {
  DialOptions,
  Link,
  Listener,
  ListenOptions,
  PeerAddress,
  Transport,
  TransportCapabilities,
} from "../../src/ports/transport.ts";
import { type ActrId, actrIdEquals } from "../../src/protocol/ids.ts";
import type { Relay } from "../../src/signaling/signaling_listeners.ts";
import { channelLanes } from "./lanes.ts";
import type { NegotiationParts } from "./negotiation_parts.ts";
import { Negotiations } from "./negotiations.ts";
import { RoleFlights } from "./role_flights.ts";
import { defaultWebRtcOptions, type WebRtcOptions } from "./webrtc_options.ts";

/** What {@link WebRtcTransport} works with. */
export interface WebRtcComponents extends Omit<NegotiationParts, "budget" | "keepAlive"> {
  /** Loads the WebRTC stack, once the first connection is wanted. @throws ActrError `config`. */
  readonly peerConnections: () => Promise<PeerConnections>;
  /** This node's id of the moment. */
  readonly self: () => ActrId;
  /** Its login at TURN servers, read for each connection. */
  readonly turnLogin: () => TurnCredential | undefined;
}

const name = "webrtc";

/**
 * Links over WebRTC, one connection per peer, negotiated through signaling (`spec/transport.md` §6).
 * Who a peer is, is what the signaling server says of it. A dial of a peer that has been connecting meanwhile
 * gives the link that the listener gets as well.
 */
export class WebRtcTransport implements Transport {
  readonly name: string = name;
  readonly capabilities: TransportCapabilities;
  readonly #components: WebRtcComponents;
  readonly #options: WebRtcOptions;
  readonly #roles: RoleFlights;
  #loading: Promise<Negotiations> | undefined;
  /** Set once the stack is loaded. */
  #negotiations: Negotiations | undefined;
  #onLink: ((link: Link) => void) | undefined;

  /** Listens to signaling for as long as that lives. */
  constructor(components: WebRtcComponents, options: Partial<WebRtcOptions> = {}) {
    const { clock, log, signaling } = components;
    this.#components = { ...components, log: log.with({ component: name }) };
    this.#options = { ...defaultWebRtcOptions, ...options };
    this.#roles = new RoleFlights(clock, signaling);
    this.capabilities = {
      lanes: channelLanes,
      maxBodyBytes: this.#options.link.maxBodyBytes,
      listens: true,
      bidirectional: true,
      media: true,
    };
    signaling.listen({
      relay: (relay) => this.#relayed(relay),
      relayRefused: (envelopeId, error) => this.#roles.refused(envelopeId, error),
      connected: () => {
        for (const negotiation of this.#negotiations ?? []) negotiation.signalingConnected();
      },
      disconnected: (reason) => this.#roles.lost(reason),
    });
  }

  /** Connections that are up or being negotiated. */
  get connections(): number {
    return this.#negotiations?.size ?? 0;
  }

  /** Any peer may be reached, through the server. */
  canDial({ id }: PeerAddress): boolean {
    return !actrIdEquals(id, this.#components.self());
  }

  async dial({ id }: PeerAddress, { signal }: DialOptions): Promise<Link> {
    signal.throwIfAborted();
    const negotiations = await abortable(this.#load(), signal);
    for (;;) {
      const negotiation = await abortable(negotiations.reach(id, "outbound", signal), signal);
      try {
        return await abortable(negotiation.ready, signal);
      } catch (error) {
        // The peer has started over: what it wants now serves this dial as well.
        if (signal.aborted || !negotiations.replaced(negotiation)) throw error;
      } finally {
        if (signal.aborted && !negotiation.isUp) negotiation.end("the dial was given up");
      }
    }
  }

  async listen(onLink: (link: Link) => void, { signal }: ListenOptions): Promise<Listener> {
    signal.throwIfAborted();
    if (this.#onLink !== undefined) throw new TypeError("this WebRtcTransport listens already");
    this.#onLink = onLink;
    const stop = async (): Promise<void> => {
      if (this.#onLink !== onLink) return;
      this.#onLink = undefined;
      for (const negotiation of this.#negotiations ?? []) {
        if (!negotiation.isUp) negotiation.end("the listener has stopped");
      }
    };
    return { [Symbol.asyncDispose]: stop };
  }

  /** Messages that come while the stack is being loaded wait for it, in order. */
  #relayed(relay: Relay): void {
    if (this.#negotiations !== undefined) this.#negotiations.receive(relay);
    else
      this.#load().then(
        (negotiations) => negotiations.receive(relay),
        () => {},
      ); // Logged once.
  }

  #load(): Promise<Negotiations> {
    this.#loading ??= this.#open();
    return this.#loading;
  }

  async #open(): Promise<Negotiations> {
    const { peerConnections, log } = this.#components;
    try {
      const stack = await peerConnections();
      const parts = { ...this.#components, stack, roles: this.#roles, onLink: () => this.#onLink };
      this.#negotiations = new Negotiations(parts, this.#options);
      return this.#negotiations;
    } catch (error) {
      log.error("webrtc.stack.unusable", { error });
      throw error;
    }
  }
}
