import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Random } from "../../ports/random.ts";
import type { ResolvedRendezvousOptions } from "../options.ts";
import type { Manufacturers } from "../packages/manufacturers.ts";
import type { Packages } from "../packages/packages.ts";
import type { Tally } from "../tally.ts";
import type { KeyRing } from "./keys.ts";
import type { Nonces } from "./nonces.ts";
import type { RateLimit } from "./rate_limit.ts";
import type { Realms } from "./realms.ts";
import type { Registrations } from "./registrations.ts";
import type { Serials } from "./serials.ts";

/** What registration and renewal share: the identity service. */
export interface Ais {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly tally: Tally;
  readonly options: ResolvedRendezvousOptions;
  readonly realms: Realms;
  readonly keys: KeyRing;
  readonly serials: Serials;
  readonly registrations: Registrations;
  readonly manufacturers: Manufacturers;
  readonly packages: Packages;
  readonly nonces: Nonces;
  /** Requests by address. */
  readonly addressRate: RateLimit;
  /** Identities issued, by realm. */
  readonly realmRate: RateLimit;
  /** UTF-8 of the secret shared with the TURN server. */
  readonly turnSecret: string;
  /** From which successors of renewal tokens derive; 32 bytes. */
  readonly renewalSecret: Uint8Array;
}
