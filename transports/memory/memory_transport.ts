import { ActrError } from "../../src/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type {
  DialOptions,
  Link,
  Listener,
  ListenOptions,
  PeerAddress,
  Transport,
  TransportCapabilities,
} from "../../src/ports/transport.ts";
import { lanes } from "../../src/protocol/frame.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import type { PeerHeaders } from "../../src/protocol/peer_headers.ts";
import { type Authenticate, Authenticator, type AuthenticatorOptions } from "../authenticate.ts";
import { KeepAlive } from "../keep_alive.ts";
import { defaultLinkOptions, type LinkOptions } from "../link_options.ts";
import { type LinkComponents, SocketLink } from "../socket_link.ts";
import type { MemoryAcceptor, MemoryHub } from "./memory_hub.ts";
import type { MemorySocket } from "./memory_socket.ts";

/** Bounds of {@link MemoryTransport}. */
export type MemoryOptions = LinkOptions & AuthenticatorOptions;

/** What {@link MemoryTransport} works with. */
export interface MemoryComponents {
  readonly hub: MemoryHub;
  readonly clock: Clock;
  readonly log: Logger;
  /** Our identity and credential, one snapshot, read at each dial, ours and others'. */
  readonly identity: () => PeerHeaders;
  readonly authenticate: Authenticate;
}

const name = "memory";

/** Links within one process: the real frame codec, keep-alive and limits over sockets of memory. */
export class MemoryTransport implements Transport {
  readonly name: string = name;
  readonly capabilities: TransportCapabilities;
  readonly #components: MemoryComponents;
  readonly #options: MemoryOptions;
  readonly #link: LinkComponents;
  readonly #authenticator: Authenticator;

  constructor(components: MemoryComponents, options: Partial<MemoryOptions> = {}) {
    this.#components = components;
    this.#options = {
      ...defaultLinkOptions,
      authTimeoutMs: 5_000,
      maxUnauthenticated: 256,
      ...options,
    };
    const { clock, log } = components;
    const keepAlive = new KeepAlive(clock, this.#options.pingIntervalMs);
    this.#link = { clock, log: log.with({ component: name }), keepAlive };
    this.#authenticator = new Authenticator(components, this.#options);
    this.capabilities = {
      lanes: [lanes.rpcReliable, lanes.rpcSignal, lanes.streamReliable, lanes.streamLatencyFirst],
      maxBodyBytes: this.#options.maxBodyBytes,
      listens: true,
      bidirectional: true,
    };
  }

  /** Any peer may be on the hub. */
  canDial(): boolean {
    return true;
  }

  async dial({ id }: PeerAddress, { signal }: DialOptions): Promise<Link> {
    const socket = await this.#components.hub.dial(id, this.#components.identity(), signal);
    return this.#open(socket, id, "outbound");
  }

  async listen(onLink: (link: Link) => void, { signal }: ListenOptions): Promise<Listener> {
    signal.throwIfAborted();
    const { hub, identity } = this.#components;
    let listening = true;
    const accept: MemoryAcceptor = async (claim, dialed) => {
      const peer = await this.#authenticator.verify(claim, dialed);
      if (!listening) throw new ActrError("unavailable", "the listener has stopped");
      return (socket) => onLink(this.#open(socket, peer, "inbound"));
    };
    const stop = hub.listen(() => identity().source, accept);
    return {
      async [Symbol.asyncDispose]() {
        listening = false;
        stop();
      },
    };
  }

  #open(socket: MemorySocket, peer: ActrId, direction: Link["direction"]): SocketLink {
    return new SocketLink(socket, { transport: name, peer, direction }, this.#link, this.#options);
  }
}
