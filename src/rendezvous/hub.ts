import type { Ais } from "./ais/ais.ts";
import type { KeyRing } from "./ais/keys.ts";
import type { Realms } from "./ais/realms.ts";
import { Directory } from "./discovery/directory.ts";
import { Discovery } from "./discovery/discovery.ts";
import { Invitations } from "./invitations.ts";
import { type Neighbours, noNeighbours } from "./neighbours.ts";
import { Presence } from "./presence.ts";
import type { Reachable } from "./reachable.ts";
import type { SignalingSocket, SocketComponents } from "./signaling_socket.ts";
import type { Tally } from "./tally.ts";

/** What the connections of one signaling server share. */
export interface Hub extends SocketComponents {
  readonly tally: Tally;
  readonly realms: Realms;
  readonly keys: KeyRing;
  readonly directory: Directory<Reachable>;
  readonly discovery: Discovery<Reachable>;
  readonly presence: Presence<SignalingSocket>;
  readonly invitations: Invitations;
  readonly neighbours: Neighbours;
}

/** A hub without connections, beside an identity service. */
export function openHub(ais: Ais, neighbours: Neighbours = noNeighbours): Hub {
  const { clock, random, log, tally, options, realms, keys } = ais;
  const directory = new Directory<Reachable>();
  const discovery = new Discovery(directory, {
    withoutRules: options.withoutRules,
    inUse: (realm) => realms.refusal(realm) === undefined,
    expiryMs: options.entryExpiryMs,
  });
  const presence = new Presence<SignalingSocket>(options.limits.maxSubscriptions);
  const invitations = new Invitations(options.limits.maxConnections);
  return {
    clock,
    random,
    log,
    tally,
    options,
    realms,
    keys,
    directory,
    discovery,
    presence,
    invitations,
    neighbours,
  };
}
