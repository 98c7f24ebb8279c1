import type { AclRule } from "../../define.ts";
import { ActrError } from "../../errors.ts";
import type { GuestConflictKey, GuestMethodOptions } from "../../guest.ts";
import { nearestRules } from "../../inbound/acl.ts";
import { type KeyOf, keyOfField, keyOfSender } from "../../inbound/conflict_key.ts";
import type { Route, RouteTable } from "../../inbound/route.ts";
import { isKeyField } from "../../protocol/key_field.ts";

/** What rules of routes stand within. */
export interface GuestAccess {
  /** The node's own realm. */
  readonly realm: number;
  /** The node's own rules. */
  readonly acl?: readonly AclRule[];
}

/** Has the guest answer; `overlaps` says whether others may be in it meanwhile. */
export type EnterRoute = (overlaps: boolean) => Route["handle"];

/**
 * The routes of a guest: those of which something is said, and every other one, since the guest alone knows what it
 * answers.
 */
export class GuestRoutes implements RouteTable {
  readonly #known: ReadonlyMap<string, Route>;
  readonly #handle: Route["handle"];

  /** @throws ActrError `config` for a rule that is malformed, or a key that cannot be read. */
  constructor(
    methods: Readonly<Record<string, GuestMethodOptions>> = {},
    enter: EnterRoute,
    access: GuestAccess,
  ) {
    const routes = Object.entries(methods).map(([key, options]) =>
      knownRoute(key, options, enter, access),
    );
    this.#known = new Map(routes.map((route) => [route.key, route]));
    this.#handle = enter(false);
  }

  /** Any route may be one: never 0. */
  get size(): number {
    return this.#known.size + 1;
  }

  /** Whether calls of some route may run beside others. */
  get keyed(): boolean {
    return [...this.#known.values()].some(({ keyOf }) => keyOf !== undefined);
  }

  get(key: string): Route {
    return this.#known.get(key) ?? { key, durable: false, handle: this.#handle };
  }
}

function knownRoute(
  key: string,
  { acl, durable = false, conflictKey, reentrant = false }: GuestMethodOptions,
  enter: EnterRoute,
  access: GuestAccess,
): Route {
  const rules = nearestRules([access.acl, acl], access.realm);
  return {
    key,
    durable,
    reentrant,
    ...(rules && { rules }),
    ...(conflictKey && { keyOf: keyReader(key, conflictKey) }),
    handle: enter(conflictKey !== undefined || reentrant),
  };
}

function keyReader(route: string, { domain = route, sender, field }: GuestConflictKey): KeyOf {
  if (sender === true) return keyOfSender(domain);
  if (isKeyField(field)) return keyOfField(domain, field);
  throw new ActrError(
    "config",
    `conflictKey of ${route} is ${JSON.stringify(field)}; write { sender: true } or { field: { number: 1, kind: "string" } }`,
  );
}
