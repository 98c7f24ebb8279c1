import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Random } from "../../ports/random.ts";
import type { Sockets } from "../../ports/sockets.ts";
import type { Store } from "../../ports/store.ts";
import { toBase64 } from "../../protocol/bytes.ts";
import type { ResolvedRendezvousOptions } from "../options.ts";
import { Manufacturers } from "../packages/manufacturers.ts";
import { Packages } from "../packages/packages.ts";
import { keptSecret } from "../secrets.ts";
import { newTally } from "../tally.ts";
import type { Ais } from "./ais.ts";
import { KeyRing } from "./keys.ts";
import { Nonces } from "./nonces.ts";
import { RateLimit } from "./rate_limit.ts";
import { Realms } from "./realms.ts";
import { Registrations } from "./registrations.ts";
import { Serials } from "./serials.ts";

/** What a rendezvous stands on. The store stays the caller's: it may be a node's, and is closed by who opened it. */
export interface RendezvousComponents {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** For a cluster, whose servers dial each other; without them the store carries what they say. */
  readonly sockets?: Sockets;
}

/** The identity service on what its store has kept. @throws ActrError `storage`. */
export async function openAis(
  { store, clock, random, log }: RendezvousComponents,
  options: ResolvedRendezvousOptions,
): Promise<Ais> {
  const { limits } = options;
  return {
    clock,
    random,
    log,
    tally: newTally(),
    options,
    realms: await Realms.open({ store, clock, random }, options),
    keys: await KeyRing.open({ store, clock, random }, options),
    serials: await Serials.open(store, clock, options.worker),
    registrations: new Registrations(store),
    manufacturers: await Manufacturers.open({ store, clock }, options.manufacturers),
    packages: await Packages.open(store),
    nonces: new Nonces({ store, clock }),
    addressRate: new RateLimit(clock, {
      burst: limits.addressBurst,
      perSecond: limits.addressRequestsPerSecond,
    }),
    realmRate: new RateLimit(clock, {
      burst: limits.realmBurst,
      perSecond: limits.realmIdentitiesPerSecond,
    }),
    turnSecret: options.turnSecret ?? toBase64(await keptSecret(store, random, "turn")),
    renewalSecret: await keptSecret(store, random, "renewal"),
  };
}
