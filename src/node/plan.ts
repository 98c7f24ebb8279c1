import type { AnyActor } from "../actor.ts";
import type { NodeDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { GuestWorkload } from "../guest/workload/guest_workload.ts";
import type { Hooks } from "../hooks.ts";
import type { Registration } from "../identity/ais_client.ts";
import { nearestRules, resolveRules } from "../inbound/acl.ts";
import type { RouteTable } from "../inbound/route.ts";
import { serviceRoutes } from "../inbound/service_routes.ts";
import { type NodeOptions, resolveNodeOptions } from "../options.ts";
import type { ResolvedRule } from "../protocol/acl.ts";
import type { Dependency } from "../protocol/dependencies.ts";
import { type Announcement, announcementOf } from "./announcement.ts";
import type { NodeSettings } from "./node_components.ts";
import { withReflection } from "./reflection.ts";
import { registrationOf } from "./registration.ts";

/** A definition checked and resolved: what is wrong with it shows here, before anything runs. */
export interface NodePlan {
  readonly options: NodeOptions;
  readonly registration: Registration;
  /** None: it tells nothing of its services. */
  readonly announcement: Announcement | undefined;
  /** What it may find; none: any type. Read live: another package of its guest was built against others. */
  readonly dependencies: () => readonly Dependency[] | undefined;
  readonly routes: RouteTable;
  /** What the embedding program serves to the node itself. */
  readonly hostRoutes: RouteTable;
  /** Whether calls of different keys run at once: they may, and some method declares a key. */
  readonly concurrent: boolean;
  /** None: everybody may call. */
  readonly rules: readonly ResolvedRule[] | undefined;
  /** None: who may call the services may call the actors. */
  readonly actorRules: readonly ResolvedRule[] | undefined;
  /** Definitions of actors, by name. */
  readonly actors: Readonly<Record<string, AnyActor>>;
  /** The services' own, the node's, and further ones: told side by side. */
  readonly observers: readonly Hooks[];
}

/**
 * @param guest the workload where that is no services.
 * @throws ActrError `config` for an option, a type, a rule or a service that cannot be served.
 */
export function planNode(
  asked: NodeDefinition,
  settings: NodeSettings,
  guest?: GuestWorkload,
): NodePlan {
  const dependencies = dependenciesOf(asked, guest);
  const definition = { ...asked, ...(dependencies && { dependencies }) };
  const { services = [], host = [], acl, actorAcl, hooks, observers = [] } = definition;
  const options = resolveNodeOptions(definition.options);
  const { realm } = settings;
  const registration = registrationOf(definition, settings);
  const routes = serviceRoutes(services, { realm, ...(acl && { acl }) });
  const actors = checkedActors(definition.actors);
  const keyed =
    guest?.routes.keyed ?? [...routes.values()].some(({ keyOf }) => keyOf !== undefined);
  return {
    options,
    registration,
    announcement: announcementOf(definition, registration.type, guest),
    dependencies: () => dependenciesOf(asked, guest),
    concurrent: options.dispatch.concurrent && (keyed || Object.keys(actors).length > 0),
    routes: guest?.routes ?? withReflection(routes, services),
    hostRoutes: serviceRoutes(host),
    actors,
    actorRules: nearestRules([acl, actorAcl], realm),
    rules: acl && resolveRules(acl, realm),
    observers: [
      ...(guest === undefined ? [] : [guest.observer]),
      ...services.flatMap((service) => service.hooks ?? []),
      ...(hooks === undefined ? [] : [hooks]),
      ...observers,
    ],
  };
}

/** What the definition says, else what the guest's package was built against. */
function dependenciesOf(
  { dependencies }: NodeDefinition,
  guest: GuestWorkload | undefined,
): readonly Dependency[] | undefined {
  return dependencies ?? guest?.dependencies;
}

/** Names of definitions, as they stand in URLs. */
const actorName = /^[A-Za-z0-9_.-]{1,64}$/;

function checkedActors(
  actors: Readonly<Record<string, AnyActor>> = {},
): Readonly<Record<string, AnyActor>> {
  for (const name of Object.keys(actors)) {
    if (actorName.test(name)) continue;
    const message = `actors: ${JSON.stringify(name)} is no name; it has 1 to 64 letters, digits, "_", "." or "-"`;
    throw new ActrError("config", message, { details: { actor: name } });
  }
  return actors;
}
