import { toBase64 } from "../protocol/bytes.ts";
import type { Ais } from "./ais.ts";
import { KeyRing } from "./keys.ts";
import type { ResolvedRendezvousOptions } from "./options.ts";
import { Realms } from "./realms.ts";
import { Registrations } from "./registrations.ts";
import type { RendezvousComponents } from "./rendezvous.ts";
import { keptSecret } from "./secrets.ts";
import { Serials } from "./serials.ts";

/** The identity service on what its store has kept. @throws ActrError `storage`. */
export async function openAis(
  { store, clock, random, log }: RendezvousComponents,
  options: ResolvedRendezvousOptions,
): Promise<Ais> {
  return {
    clock,
    random,
    log,
    options,
    realms: await Realms.open(options.realms),
    keys: await KeyRing.open(store, random),
    serials: await Serials.open(store, clock, options.worker),
    registrations: new Registrations(store),
    turnSecret: options.turnSecret ?? toBase64(await keptSecret(store, random, "turn")),
    renewalSecret: await keptSecret(store, random, "renewal"),
  };
}
