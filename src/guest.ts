import type { AclRule } from "./define.ts";
import type { GuestOptions } from "./guest/life/options.ts";
import type { VerifiedPackage } from "./guest/package/verified_package.ts";
import type { ManufacturerProver } from "./identity/package_registration.ts";
import type { KeyField } from "./protocol/key_field.ts";
import type { SigningKey } from "./protocol/signing_key.ts";

/** Where a guest runs: in a thread of its own, or in that of the node, which it holds up for as long as its fuel lasts. */
export type GuestIsolation = "worker" | "inline";

/**
 * Which calls of a guest wait for each other, as of services; a field is known by its number and kind, since a node does
 * not know its guest's messages (`spec/node.md` §10.3).
 */
export type GuestConflictKey = { readonly domain?: string } & (
  | { readonly sender: true; readonly field?: never }
  | { readonly field: KeyField; readonly sender?: never }
);

/** How calls of one route of a guest are handled. */
export interface GuestMethodOptions {
  /** Who may call it. @default whom the node allows */
  readonly acl?: readonly AclRule[];
  /** Puts calls on disk before they count as accepted. @default false */
  readonly durable?: boolean;
  /** Which of its calls wait for each other; all others may be in the guest at once. @default none: a call runs alone */
  readonly conflictKey?: GuestConflictKey;
  /** Whether a call that an entry of the guest waits for enters it in the middle of that. Otherwise it is refused. @default false */
  readonly reentrant?: boolean;
}

/** A workload that the node does not trust: code of a package, which reaches the world through its node alone. */
export interface GuestDefinition {
  /** What a trust provider has verified: its manifest says what the node is. */
  readonly package: VerifiedPackage;
  /** @default "worker" */
  readonly isolation?: GuestIsolation;
  readonly limits?: Partial<GuestOptions>;
  /** By route key, `package.Service.Method`. What is not named here enters the guest all the same. */
  readonly methods?: Readonly<Record<string, GuestMethodOptions>>;
  /**
   * How the node registers: with its package, which has to be published or proven, or as any node, which a realm of one's
   * own allows. @default "package"; "linked" at a rendezvous of the node's own, without `proof`
   */
  readonly registersAs?: "package" | "linked";
  /**
   * Proves to the identity service, for every registration, that the manufacturer lets the package register: with the key
   * itself (`signingKeyIn`), or by asking who has it. @default none: the package is published
   */
  readonly proof?: SigningKey | ManufacturerProver;
}
