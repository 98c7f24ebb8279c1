import type { ActorsOf, WithActors } from "../../src/actor_client.ts";
import type { NodeContext, ServiceClient } from "../../src/context.ts";
import type { GuestStatus } from "../../src/guest/life/status.ts";
import type { VerifiedPackage } from "../../src/guest/package/verified_package.ts";
import type { GuestRuntime } from "../../src/guest/workload/guest_runtime.ts";
import type { GuestUpgrades } from "../../src/node/guest_upgrades.ts";
import type { NetworkEvents } from "../../src/node/network_events.ts";
import type { Node } from "../../src/node/node.ts";
import type { Durability } from "../../src/options.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import type { Sockets } from "../../src/ports/sockets.ts";
import type { SqlDatabases } from "../../src/ports/sql_databases.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Tracer } from "../../src/ports/tracer.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import type { ServiceDescriptor } from "../../src/protocol/service.ts";
import type { RendezvousOptions } from "../../src/rendezvous/options.ts";
import type { DiscoveredType, ServiceDescription } from "../../src/signaling/answers.ts";
import type { WebRtcSettings } from "./webrtc.ts";

/** What tells one runtime from another. */
export interface Runtime {
  /** Name and version, such as `deno 2.9.5`. */
  readonly name: string;
  readonly sockets: Sockets;
  /** Its own WebRTC stack, loaded when it is first wanted. @throws ActrError `config` when it has none. */
  readonly peerConnections: (clock: Clock) => Promise<PeerConnections>;
}

/** Where to listen and what to keep. */
export interface EndpointOptions {
  /** 0 lets the system choose. @default 8080 */
  readonly port?: number;
  /** Address to bind. @default "0.0.0.0" */
  readonly hostname?: string;
  /** `:memory:`, `file:PATH`, the address of a libSQL server, or an open store, which stays its owner's. @default ":memory:" */
  readonly store?: string | Store;
  /**
   * Where the databases of actors are that have one of their own (`c.sql`): `:memory:`, `file:FOLDER`, or whatever keeps
   * them. @default beside the store, in the folder `PATH.actors` or in memory; nowhere when the store is a server's
   */
  readonly databases?: string | SqlDatabases;
  /**
   * What a commit to a store in a file survives. `full`: kill -9 of the process, a crash of the system and power loss.
   * `normal`: kill -9 alone; power loss may take the last commits, in order, from the end, but never damages the file.
   * A libSQL server decides for itself. @default "full"
   */
  readonly durability?: Durability;
  /** Credential of a libSQL server. */
  readonly storeToken?: string;
  /** Makes a `file:` store an embedded replica of this libSQL server: reads are local, commits are the server's. */
  readonly storeSyncUrl?: string;
  /** Works on a store in a file in a thread of its own: a slow disk holds up nothing else, and each commit takes a little longer. @default false */
  readonly storeWorker?: boolean;
  /** Longest wait for one answer of a libSQL server, milliseconds. @default 5000 */
  readonly storeTimeoutMs?: number;
  readonly log?: Logger;
  /** Without one nothing is traced. */
  readonly tracer?: Tracer;
  /** Ends the start. */
  readonly signal?: AbortSignal;
}

/** Where nodes that share their actors keep these. */
export interface ActorStoreOptions extends Pick<EndpointOptions, "storeTimeoutMs"> {
  /**
   * Address of a libSQL server, or an open store, which stays its owner's: several nodes have it open, an actor lives on one
   * of them at a time, and is called from any. When a node dies, its actors wake elsewhere after its lease
   * (`options: { actors: { leaseMs } }`). For `c.sql` name `databases` that
   * all of them reach; what is written there is not fenced. @default `store`, and all actors live here
   */
  readonly actorStore?: string | Store;
  /** Credential of that server. */
  readonly actorStoreToken?: string;
}

/** Where a node listens, keeps its data and is found. */
export interface ServeOptions extends EndpointOptions, ActorStoreOptions, WebRtcSettings {
  /** Host that peers are told to dial. @default "127.0.0.1" */
  readonly advertisedHost?: string;
  /** Base address of the identity service, such as `http://host:8080/ais`. @default a rendezvous of our own, on the same port */
  readonly identity?: string;
  /** Address of the signaling socket. @default the identity service's host, `/signaling/ws` */
  readonly signaling?: string;
  /** Options of the rendezvous of our own, where `identity` is not given. */
  readonly rendezvous?: RendezvousOptions;
  /** Realm to register in, u32. @default 1001 */
  readonly realm?: number;
  readonly realmSecret?: string;
  /**
   * Answers requests for paths that the node, and a rendezvous of its own, do not have: the pages of an application,
   * for example, which then reach both at their own origin. @default 404
   */
  readonly fetch?: (request: Request) => Response | Promise<Response>;
  /** Opens `/inspect/*` to who sends it as a bearer token. @default there is no `/inspect` */
  readonly inspectToken?: string;
  /** Opens the actors of the app, `/actors/*` and `/gateway/*`, to who sends it. @default they are open to whoever reaches the port */
  readonly actorToken?: string;
  /** What runs the app's guest. @default threads of this process, or its own one, within what all its guests may use */
  readonly guests?: GuestRuntime;
  /** Where the application tells of its network, when it has to before the node runs. @default `node.network` */
  readonly network?: NetworkEvents;
  /** Stops the node when the process is sent SIGINT or SIGTERM; a second one ends the process at once. @default false */
  readonly stopOnSignals?: boolean;
}

/** A node that serves, with everything that it stands on. */
export interface Served extends AsyncDisposable {
  readonly node: Node;
  readonly id: ActrId;
  /** Base address of the HTTP endpoint. */
  readonly url: string;
  /** Base address of the identity service. */
  readonly identity: string;
  /** Calls peers, in the node's name. */
  readonly context: NodeContext;
  /** Only of nodes with a guest. */
  readonly guest?: ServedGuest;
  /** Stops the node, then what it stands on. Idempotent; never rejects. */
  stop(): Promise<void>;
  /** Resolves when all has stopped, for whatever reason. */
  readonly stopped: Promise<void>;
}

/** Where a rendezvous that serves alone listens. */
export interface RendezvousEndpointOptions extends EndpointOptions, RendezvousOptions {
  /**
   * UDP port at which it tells whoever asks where the question came from, as WebRTC needs to cross a NAT; 0 lets the
   * system choose. Nodes are told of it by `iceUrls`, with the name that they reach it by. @default none
   */
  readonly stunPort?: number;
}

/** The guest of a node, and how another package takes its place while the node runs. */
export interface ServedGuest extends Pick<GuestUpgrades, "upgrade" | "rollback"> {
  /** What it runs now. */
  readonly package: VerifiedPackage;
  status(): GuestStatus;
}

/** A rendezvous that serves alone. */
export interface ServedRendezvous extends AsyncDisposable {
  /** Base address of the HTTP endpoint. */
  readonly url: string;
  /** Base address of the identity service. */
  readonly identity: string;
  /** UDP port of its STUN answers, where it has one. */
  readonly stunPort?: number;
  /** Ends every connection and closes the store. Idempotent; never rejects. */
  stop(): Promise<void>;
}

/** How a peer that only calls connects. */
export interface ConnectOptions extends WebRtcSettings {
  /** Realm to register in, u32. @default 1001 */
  readonly realm?: number;
  readonly realmSecret?: string;
  /** What it is: `manufacturer:name:version`. @default "local:Client:0.0.0" */
  readonly type?: string;
  /**
   * The node whose actors are called, an id or a type: over WebSocket or WebRTC, as its services are.
   * @default the node at the address, over HTTP
   */
  readonly actorsAt?: Target;
  /** What the node opens its actors to over HTTP. @default they are open */
  readonly actorToken?: string;
  /** Address of the signaling socket. @default the host connected to, `/signaling/ws` */
  readonly signaling?: string;
  /** @default errors to standard error */
  readonly log?: Logger;
  /** Without one nothing is traced. */
  readonly tracer?: Tracer;
  /** Ends the start. */
  readonly signal?: AbortSignal;
}

/** Whom to call: an id, as value or text (`1f@1001/acme:EchoService:1.0.0`), or any node of a type (`acme:EchoService:1.0.0`). */
export type Target = ActrId | string;

/** Which types are listed. */
export interface ListOptions {
  /** @default all */
  readonly manufacturer?: string;
  /** At most so many. @default 64 */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** A peer that only calls. */
export interface Peer<App extends WithActors = WithActors> extends AsyncDisposable {
  readonly id: ActrId;
  /** Calls by id with encoded bytes, and discovers. */
  readonly context: NodeContext;
  /** Where the application tells that the network changed, or that it was in the background. */
  readonly network: NetworkEvents;
  /** The node that `target` means now. @throws ActrError `invalid_argument`, `not_found`, `unavailable`. */
  find(target: Target, options?: { readonly signal?: AbortSignal }): Promise<ActrId>;
  /** Types that nodes present now serve, of one manufacturer or of all. @throws ActrError `unavailable`, `timed_out`. */
  types(options?: ListOptions): Promise<DiscoveredType[]>;
  /** What some node announces of its services under a name. @throws ActrError `not_found`, `unavailable`, `timed_out`. */
  description(
    name: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ServiceDescription>;
  /** A typed client of a service; a type is discovered at the first call, and anew when the node found cannot be reached. */
  service<S extends ServiceDescriptor>(descriptor: S, target: Target): ServiceClient<S>;
  /** Actors of the node at the address connected to, or `actorsAt`: `connect<typeof app>(…)` types them. */
  readonly actors: ActorsOf<App>;
  /** Leaves. Idempotent; never rejects. */
  close(): Promise<void>;
}
