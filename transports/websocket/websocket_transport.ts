import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type { RequestContext, Socket, Sockets } from "../../src/ports/sockets.ts";
import type {
  DialOptions,
  Link,
  Listener,
  ListenOptions,
  PeerAddress,
  Transport,
  TransportCapabilities,
} from "../../src/ports/transport.ts";
import { frameHeaderBytes, lanes } from "../../src/protocol/frame.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import {
  dialFacts,
  duplexHeader,
  type PeerHeaders,
  parsePeerHeaders,
  peerHeaders,
} from "../../src/protocol/peer_headers.ts";
import { withinLimit } from "../../src/time_limit.ts";
import { type Authenticate, Authenticator, type AuthenticatorOptions } from "../authenticate.ts";
import { greeting } from "../greeting.ts";
import { KeepAlive } from "../keep_alive.ts";
import { defaultLinkOptions, type LinkOptions } from "../link_options.ts";
import { LinkTable } from "../link_table.ts";
import { type LinkComponents, SocketLink } from "../socket_link.ts";
import { upgradeRefusal } from "./upgrade_refusal.ts";

/** Bounds of {@link WebSocketTransport}. */
export interface WebSocketOptions extends LinkOptions, AuthenticatorOptions {
  /** Inbound links of one peer; a newer one replaces the oldest. @default 4 */
  readonly maxLinksPerPeer: number;
  /** Inbound links of all peers; further ones are answered 503. @default 10000 */
  readonly maxLinks: number;
  /** What a listener that does not greet gets to verify who dials, milliseconds: some drop what comes meanwhile. @default 100 */
  readonly greetingTimeoutMs: number;
}

/** The defaults of {@link WebSocketOptions}. */
export const defaultWebSocketOptions: WebSocketOptions = {
  ...defaultLinkOptions,
  authTimeoutMs: 5_000,
  maxUnauthenticated: 256,
  maxLinksPerPeer: 4,
  maxLinks: 10_000,
  greetingTimeoutMs: 100,
};

/** What {@link WebSocketTransport} works with. */
export interface WebSocketComponents {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Logger;
  /** Our identity and credential, one snapshot, read at each dial. */
  readonly identity: () => PeerHeaders;
  readonly authenticate: Authenticate;
}

const name = "websocket";

/** Direct WebSocket links (`spec/transport.md` §4, §5). The HTTP layer passes upgrade requests to {@link accept}. */
export class WebSocketTransport implements Transport {
  readonly name: string = name;
  readonly capabilities: TransportCapabilities;
  readonly #components: WebSocketComponents;
  readonly #options: WebSocketOptions;
  readonly #link: LinkComponents;
  readonly #authenticator: Authenticator;
  readonly #inbound: LinkTable;
  #onLink: ((link: Link) => void) | undefined;
  #refused = 0;

  constructor(components: WebSocketComponents, options: Partial<WebSocketOptions> = {}) {
    this.#components = components;
    this.#options = { ...defaultWebSocketOptions, ...options };
    const { clock, log } = components;
    const keepAlive = new KeepAlive(clock, this.#options.pingIntervalMs);
    this.#link = { clock, log: log.with({ component: name }), keepAlive };
    this.#authenticator = new Authenticator(components, this.#options);
    this.#inbound = new LinkTable(this.#options.maxLinksPerPeer);
    this.capabilities = {
      lanes: [lanes.rpcReliable, lanes.rpcSignal, lanes.streamReliable, lanes.streamLatencyFirst],
      maxBodyBytes: this.#options.maxBodyBytes,
      listens: true,
      bidirectional: false,
    };
  }

  /** Inbound links that are open. */
  get inboundLinks(): number {
    return this.#inbound.size;
  }

  /** Upgrades answered with something else than 101, since the start. */
  get refusedUpgrades(): number {
    return this.#refused;
  }

  canDial({ url }: PeerAddress): boolean {
    return url !== undefined && /^wss?:\/\//i.test(url);
  }

  async dial({ id, url }: PeerAddress, { signal }: DialOptions): Promise<Link> {
    signal.throwIfAborted();
    if (url === undefined || !this.canDial({ id, url })) {
      throw new ActrError("unavailable", `no WebSocket address is known of this peer (${url})`);
    }
    const { sockets, identity } = this.#components;
    const socket = await sockets.connect(url, {
      headers: { ...peerHeaders(identity()), [duplexHeader]: "1" },
      maxMessageBytes: this.#maxMessageBytes,
      signal,
    });
    const link = this.#open(socket, id, "outbound");
    await this.#greeted(link, signal);
    return link;
  }

  async listen(onLink: (link: Link) => void, { signal }: ListenOptions): Promise<Listener> {
    signal.throwIfAborted();
    if (this.#onLink !== undefined) throw new TypeError("this WebSocketTransport listens already");
    this.#onLink = onLink;
    const stop = async (): Promise<void> => {
      if (this.#onLink === onLink) this.#onLink = undefined;
    };
    return { [Symbol.asyncDispose]: stop };
  }

  /**
   * Answers one upgrade request: verifies the dialer first, so that 401, 403 and 503 come before the upgrade,
   * then hands its link to the listener. The response is to be returned as it is.
   */
  async accept(request: Request, { upgrade }: RequestContext): Promise<Response> {
    if (upgrade === undefined) {
      return new Response("WebSocket only", { status: 426, headers: { upgrade: "websocket" } });
    }
    try {
      this.#requireRoom();
      const facts = dialFacts(request);
      const peer = await this.#authenticator.verify(parsePeerHeaders(facts), request.signal);
      const onLink = this.#requireRoom();
      const duplex = facts.get(duplexHeader) === "1";
      return upgrade({ maxMessageBytes: this.#maxMessageBytes }, (socket) => {
        const link = this.#open(socket, peer, "inbound", duplex);
        if (duplex) socket.send(greeting);
        this.#inbound.add(link);
        onLink(link);
      });
    } catch (error) {
      this.#refused++;
      this.#link.log.debug("transport.websocket.refused", {
        error_code: ActrError.from(error).code,
      });
      return upgradeRefusal(error);
    }
  }

  /** Waits until the listener takes frames: a Roost node says so, other Actr peers drop what comes before they know who dials (`spec/transport.md` §5.3). */
  async #greeted(link: SocketLink, signal: AbortSignal): Promise<void> {
    const limit = { what: "the greeting", ms: this.#options.greetingTimeoutMs, signal };
    await withinLimit(this.#components.clock, limit, () => link.heard()).catch(() => {});
    if (!signal.aborted) return;
    void link.close("the dial was given up");
    signal.throwIfAborted();
  }

  get #maxMessageBytes(): number {
    return this.#options.maxBodyBytes + frameHeaderBytes;
  }

  /** The listener, when another link may be taken. */
  #requireRoom(): (link: Link) => void {
    if (this.#onLink === undefined) throw new ActrError("stopping", "not listening");
    if (this.#inbound.size < this.#options.maxLinks) return this.#onLink;
    throw new ActrError("overloaded", `${this.#inbound.size} links are open`);
  }

  #open(socket: Socket, peer: ActrId, direction: Link["direction"], duplex = false): SocketLink {
    const facts = { transport: name, peer, direction, duplex };
    return new SocketLink(socket, facts, this.#link, this.#options);
  }
}
