import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { Store } from "../../ports/store.ts";
import { toBase64 } from "../../protocol/bytes.ts";
import type { ResolvedRendezvousOptions } from "../options.ts";
import { RecordTable } from "../record_table.ts";
import {
  faultOf,
  hashOf,
  type KeptRealm,
  opens,
  previousUntil,
  realmOf,
  requireRealmId,
  requireSecret,
  withSecret,
} from "./realm.ts";
import { unacceptable } from "./unacceptable.ts";

/** Why a request is refused, as ErrorResponse. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** A tenant as operators see it, without its secret. */
export interface Realm extends Pick<KeptRealm, "id" | "name" | "enabled" | "expiresAt"> {
  /** Whether a registration has to present a secret. */
  readonly hasSecret: boolean;
  /** Until when the secret before holds as well, Unix seconds; null for as long as the options name it; absent where none does. */
  readonly previousSecretUntil?: number | null;
  /** Whether an option names it: then only the options change it. */
  readonly configured: boolean;
}

/** What a new realm is to be. */
export interface NewRealm {
  /** u32; one that is free, from 33554432 on, when absent. */
  readonly id?: number;
  /** @default "" */
  readonly name?: string;
  /** Made up when absent; null for a realm that asks for none. */
  readonly secret?: string | null;
  /** Unix seconds. */
  readonly expiresAt?: number;
}

/** How to rotate a secret. */
export interface RotateSecret {
  /** Made up when absent. */
  readonly secret?: string;
  /** @default the option `realmSecretGraceMs` */
  readonly graceMs?: number;
}

/** A realm with its new secret, which is told this once. */
export interface RealmWithSecret {
  readonly realm: Realm;
  /** Absent for a realm that asks for none. */
  readonly secret?: string;
}

/** What tenants stand on. */
export interface RealmComponents {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

type Settings = Pick<ResolvedRendezvousOptions, "realms" | "realmSecretGraceMs">;

const space = "rendezvous.realms";
/** Where the original begins to count (`spec/protocol.md` §3.3). */
const firstFreeId = 33_554_432;

/**
 * The tenants of this server: those that options name, and those that were created while it ran, which the store keeps.
 * As long as there is none, every realm is open.
 */
export class Realms {
  readonly #components: RealmComponents;
  readonly #graceMs: number;
  readonly #configured: ReadonlyMap<number, KeptRealm>;
  readonly #kept: RecordTable<KeptRealm>;

  private constructor(
    components: RealmComponents,
    graceMs: number,
    configured: ReadonlyMap<number, KeptRealm>,
    kept: RecordTable<KeptRealm>,
  ) {
    this.#components = components;
    this.#graceMs = graceMs;
    this.#configured = configured;
    this.#kept = kept;
  }

  /** The realms of the options and of the store. @throws ActrError `storage`. */
  static async open(components: RealmComponents, settings: Settings): Promise<Realms> {
    const configured = new Map<number, KeptRealm>();
    for (const realm of settings.realms) configured.set(realm.id, await realmOf(realm));
    const kept = await RecordTable.open<KeptRealm>(components.store, space);
    return new Realms(components, settings.realmSecretGraceMs, configured, kept);
  }

  /** Whether every realm may be used, and without a secret: there is none. */
  get open(): boolean {
    return this.#configured.size === 0 && this.#kept.size === 0;
  }

  /** Every realm, by id. */
  list(): Realm[] {
    const all = new Map<number, KeptRealm>();
    for (const realm of this.#kept.values()) all.set(realm.id, realm);
    for (const realm of this.#configured.values()) all.set(realm.id, realm);
    return [...all.values()].sort((a, b) => a.id - b.id).map((realm) => this.#shown(realm));
  }

  get(id: number): Realm | undefined {
    const realm = this.#find(id);
    return realm && this.#shown(realm);
  }

  /** Why nobody may use this realm, if so, by what was last read of it (`spec/protocol.md` §6.1). */
  refusal(id: number): Refusal | undefined {
    const fault = this.open ? undefined : faultOf(this.#find(id), this.#now());
    if (fault === undefined) return undefined;
    return { code: 403, message: `Realm validation failed: Realm ${id} ${fault}` };
  }

  /** As {@link Realms.refusal}, for who arrives: another server may have let it in meanwhile. @throws ActrError `storage`. */
  async arrivalRefusal(id: number): Promise<Refusal | undefined> {
    if (this.refusal(id) === undefined) return undefined;
    await this.#look(id);
    return this.refusal(id);
  }

  /** Why a registration with this secret is refused, if so. @throws ActrError `storage`. */
  async secretRefusal(id: number, secret: string | undefined): Promise<Refusal | undefined> {
    const realm = this.#find(id);
    if (realm?.secret === undefined) return undefined;
    const given = secret?.trim() ?? "";
    if (given === "") return { code: 403, message: "Realm secret required" };
    if (await opens(realm, given, this.#now())) return undefined;
    // Another server may have rotated it meanwhile.
    const latest = await this.#look(id);
    if (latest !== undefined && (await opens(latest, given, this.#now()))) return undefined;
    return { code: 403, message: "Invalid realm secret" };
  }

  /** Creates a realm, durably. @throws ActrError `invalid_argument`, details `reason` `id`, `secret` or `exists`; `storage`. */
  async create({ id, name = "", secret, expiresAt }: NewRealm = {}): Promise<RealmWithSecret> {
    const chosen = id ?? this.#freeId();
    requireRealmId(chosen);
    const plain = secret === null ? undefined : (secret ?? this.#newSecret());
    if (plain !== undefined) requireSecret(plain);
    const fresh: KeptRealm = {
      id: chosen,
      name,
      enabled: true,
      ...(expiresAt !== undefined && { expiresAt }),
      ...(plain !== undefined && { secret: await hashOf(plain) }),
    };
    await this.#kept.update(keyOf(chosen), (old) => {
      if (old === undefined && !this.#configured.has(chosen)) return fresh;
      throw unacceptable(`realm ${chosen} exists; choose another id`, "exists");
    });
    return { realm: this.#shown(fresh), ...(plain !== undefined && { secret: plain }) };
  }

  /** Gives a realm a new secret, durably; the one before holds on for a while. @throws as {@link Realms.setEnabled}; `invalid_argument`, details `reason` `secret` or `graceMs`. */
  async rotateSecret(
    id: number,
    { secret = this.#newSecret(), graceMs = this.#graceMs }: RotateSecret = {},
  ): Promise<RealmWithSecret> {
    requireSecret(secret);
    if (!(graceMs >= 0))
      throw unacceptable(`graceMs must not be below 0, as ${graceMs} is`, "graceMs");
    const hash = await hashOf(secret);
    const until = this.#now() + Math.ceil(graceMs / 1000);
    const realm = await this.#change(id, (old) => withSecret(old, hash, until));
    return { realm, secret };
  }

  /** Lets nodes use a realm, or refuses them all from now on, durably. @throws ActrError `not_found`; `invalid_argument`, details `reason` `configured`; `storage`. */
  setEnabled(id: number, enabled: boolean): Promise<Realm> {
    return this.#change(id, (realm) => ({ ...realm, enabled }));
  }

  /** Sees what other servers on the same store have changed. @throws ActrError `storage`. */
  refresh(): Promise<void> {
    return this.#kept.refresh();
  }

  /** The realm as the store has it now. */
  async #look(id: number): Promise<KeptRealm | undefined> {
    if (!this.#configured.has(id)) await this.#kept.load(keyOf(id));
    return this.#find(id);
  }

  async #change(id: number, change: (realm: KeptRealm) => KeptRealm): Promise<Realm> {
    if (this.#configured.has(id)) {
      throw unacceptable(`realm ${id} comes from the options; change it there`, "configured");
    }
    const realm = await this.#kept.update(keyOf(id), (old) => {
      if (old === undefined) throw new ActrError("not_found", `there is no realm ${id}`);
      return change(old);
    });
    return this.#shown(realm);
  }

  #find(id: number): KeptRealm | undefined {
    return this.#configured.get(id) ?? this.#kept.get(keyOf(id));
  }

  #shown(realm: KeptRealm): Realm {
    const { id, name, enabled, expiresAt, secret } = realm;
    const previousSecretUntil = previousUntil(realm, this.#now());
    return {
      id,
      name,
      enabled,
      ...(expiresAt !== undefined && { expiresAt }),
      hasSecret: secret !== undefined,
      ...(previousSecretUntil !== undefined && { previousSecretUntil }),
      configured: this.#configured.has(id),
    };
  }

  #freeId(): number {
    return this.list().reduce((free, { id }) => Math.max(free, id + 1), firstFreeId);
  }

  #newSecret(): string {
    const text = toBase64(this.#components.random.bytes(24));
    return `rs_${text.replaceAll("+", "-").replaceAll("/", "_")}`;
  }

  #now(): number {
    return Math.floor(this.#components.clock.now() / 1000);
  }
}

/** Keys ascend as the ids do. */
function keyOf(id: number): string {
  return String(id).padStart(10, "0");
}
