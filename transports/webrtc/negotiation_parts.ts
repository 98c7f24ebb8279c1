import type { Clock } from "../../src/ports/clock.ts";
import type { Logger } from "../../src/ports/logger.ts";
import type { IceServer, PeerConnections } from "../../src/ports/peer_connections.ts";
import type { Random } from "../../src/ports/random.ts";
import type { Link } from "../../src/ports/transport.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import type { ReassemblyBudget } from "../../src/protocol/reassembly_budget.ts";
import type { SignalingClient } from "../../src/signaling/signaling_client.ts";
import type { KeepAlive } from "../keep_alive.ts";
import type { RemoteCandidates } from "./remote_candidates.ts";

/** What the transport needs of signaling. */
export type PeerSignaling = Pick<SignalingClient, "connected" | "listen" | "sendRelay">;

/** What all negotiations of a transport work with. */
export interface NegotiationParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signaling: PeerSignaling;
  /** What all links together may hold of unfinished messages. */
  readonly budget: ReassemblyBudget;
  /** Looks after the links of peers that answer beats. */
  readonly keepAlive: KeepAlive;
}

/** One connection that is to be. */
export interface NegotiationFacts {
  readonly peer: ActrId;
  /** As the server assigned it; it stays for the life of the connection. */
  readonly role: "offerer" | "answerer";
  readonly direction: Link["direction"];
  readonly stack: PeerConnections;
  readonly iceServers: readonly IceServer[];
  /** Candidates that came before. */
  readonly earlier?: RemoteCandidates | undefined;
}
