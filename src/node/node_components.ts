import type { GuestRuntime } from "../guest/workload/guest_runtime.ts";
import type { TurnCredential } from "../identity/issued_identity.ts";
import type { SessionOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { Sockets } from "../ports/sockets.ts";
import type { SqlDatabases } from "../ports/sql_databases.ts";
import type { Store } from "../ports/store.ts";
import type { SystemMeter } from "../ports/system_meter.ts";
import type { Tracer } from "../ports/tracer.ts";
import type { Transport } from "../ports/transport.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { PeerHeaders } from "../protocol/peer_headers.ts";
import type { SignalingClient } from "../signaling/signaling_client.ts";
import type { NetworkEvents } from "./network_events.ts";

/** What transports need of the node that uses them. */
export interface TransportIdentity {
  /** Who dials: identity and credential from one snapshot, read at dial time. */
  readonly identity: () => PeerHeaders;
  /** Verifies who dials us. @throws ActrError `permission_denied`. */
  readonly authenticate: (
    claim: PeerHeaders,
    options: { readonly signal: AbortSignal },
  ) => Promise<ActrId>;
  /** Carries what peers tell each other before they have a link. */
  readonly signaling: SignalingClient;
  /** The node's login at TURN servers, when it was issued one. */
  readonly turnLogin: () => TurnCredential | undefined;
}

/** What a runtime supplies for a node. */
export interface NodeComponents {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Without one nothing is traced; what callers send along is passed on. */
  readonly tracer?: Tracer | undefined;
  /** Owned by whoever opened it; the node leaves it open. */
  readonly store: Store;
  /**
   * Keeps the actors, of this node and of others that have it open: each lives on one of them at a time. Owned by whoever
   * opened it. @default `store`, and all actors live here
   */
  readonly actorStore?: Store | undefined;
  /** Where the databases of actors are, for those that have one. */
  readonly databases?: SqlDatabases | undefined;
  readonly sockets: Sockets;
  readonly fetch: typeof globalThis.fetch;
  /** Runs a guest; only nodes that have one need it. */
  readonly guests?: GuestRuntime | undefined;
  /** Without one the load of the runtime is unknown, which counts as none. */
  readonly meter?: SystemMeter | undefined;
  /** Where the application tells of its network. @default one of the node's own */
  readonly network?: NetworkEvents | undefined;
  readonly transports: (
    identity: TransportIdentity,
    options: SessionOptions,
  ) => readonly Transport[];
}

/** Where a node lives. */
export interface NodeSettings {
  readonly realm: number;
  readonly realmSecret?: string;
  /** Base address of the identity service, such as `http://localhost:8080/ais`. */
  readonly aisUrl: string;
  /** Full address of the signaling socket, such as `ws://localhost:8080/signaling/ws`. */
  readonly signalingUrl: string;
  /** Address at which peers reach this node directly; its listener is bound already. */
  readonly wsAddress?: string;
}
