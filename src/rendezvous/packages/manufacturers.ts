import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Store } from "../../ports/store.ts";
import { fromBase64 } from "../../protocol/bytes.ts";
import { manufacturerKeyId } from "../../protocol/manufacturer.ts";
import { nameFault } from "../../protocol/names.ts";
import { ed25519Bytes, importVerifyKey } from "../../protocol/signing_key.ts";
import { unacceptable } from "../ais/unacceptable.ts";
import type { ManufacturerOptions } from "../options.ts";
import { RecordTable } from "../record_table.ts";

/** One key of a manufacturer. */
export interface ManufacturerKey {
  /** `mfr-` and 16 hexadecimal digits. */
  readonly keyId: string;
  /** Base64 of the 32 raw bytes of an Ed25519 public key. */
  readonly publicKey: string;
  /** From when on it no longer counts, Unix seconds; absent for one without an end. */
  readonly expiresAt?: number;
  readonly revoked?: true;
}

/** Who may sign packages. */
export interface Manufacturer {
  readonly name: string;
  /** Where true, none of its keys counts. */
  readonly suspended: boolean;
  /** The newest last. */
  readonly keys: readonly ManufacturerKey[];
}

/** What becomes of a key that was looked for. */
export type FoundKey =
  | { readonly state: "unknown" | "revoked" | "expired" }
  | { readonly state: "valid"; readonly key: CryptoKey };

const space = "rendezvous.manufacturers";

/** The manufacturers that this server trusts: those that options name, and those that were added while it ran, which the store keeps. */
export class Manufacturers {
  readonly #clock: Clock;
  readonly #configured: ReadonlyMap<string, Manufacturer>;
  readonly #kept: RecordTable<Manufacturer>;

  private constructor(
    clock: Clock,
    configured: ReadonlyMap<string, Manufacturer>,
    kept: RecordTable<Manufacturer>,
  ) {
    this.#clock = clock;
    this.#configured = configured;
    this.#kept = kept;
  }

  /** @throws ActrError `invalid_argument` for an option that names no manufacturer or no key; `storage`. */
  static async open(
    { store, clock }: { readonly store: Store; readonly clock: Clock },
    options: readonly ManufacturerOptions[],
  ): Promise<Manufacturers> {
    const configured = new Map<string, Manufacturer>();
    for (const { name, keys } of options) {
      requireManufacturer(name);
      const read = keys.map((publicKey) => keyOf(publicKey));
      configured.set(name, { name, suspended: false, keys: await Promise.all(read) });
    }
    return new Manufacturers(clock, configured, await RecordTable.open(store, space));
  }

  /** Every manufacturer, by name. */
  list(): Manufacturer[] {
    const all = new Map<string, Manufacturer>();
    for (const each of this.#kept.values()) all.set(each.name, each);
    for (const each of this.#configured.values()) all.set(each.name, each);
    return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** A key by its name, as the store has it now. @throws ActrError `storage`. */
  async find(name: string, keyId: string): Promise<FoundKey> {
    const manufacturer = await this.#current(name);
    const key = manufacturer?.keys.find((each) => each.keyId === keyId);
    if (manufacturer === undefined || key === undefined) return { state: "unknown" };
    if (manufacturer.suspended || key.revoked) return { state: "revoked" };
    if (this.#ended(key)) return { state: "expired" };
    const bytes = fromBase64(key.publicKey) ?? new Uint8Array();
    return { state: "valid", key: await importVerifyKey(bytes) };
  }

  /** The key of that name, or the newest one, which counts; undefined when there is none. @throws ActrError `storage`. */
  async publicKey(name: string, keyId?: string): Promise<ManufacturerKey | undefined> {
    const manufacturer = await this.#current(name);
    if (manufacturer === undefined || manufacturer.suspended) return undefined;
    return manufacturer.keys.findLast(
      (key) => !key.revoked && !this.#ended(key) && (keyId === undefined || key.keyId === keyId),
    );
  }

  /**
   * Trusts another key of a manufacturer, durably; keys from before go on to count until they end or are revoked.
   * @throws ActrError `invalid_argument`, details `reason` `name`, `key` or `configured`; `storage`.
   */
  async trust(
    name: string,
    publicKey: string,
    { expiresAt }: { readonly expiresAt?: number } = {},
  ): Promise<ManufacturerKey> {
    requireManufacturer(name);
    const key = { ...(await keyOf(publicKey)), ...(expiresAt !== undefined && { expiresAt }) };
    await this.#change(name, (old) => ({
      name,
      suspended: old?.suspended ?? false,
      keys: [...(old?.keys ?? []).filter(({ keyId }) => keyId !== key.keyId), key],
    }));
    return key;
  }

  /** Ends a key at once, durably; proofs with it are refused. @throws ActrError `not_found`; `invalid_argument`, details `reason` `configured`; `storage`. */
  async revoke(name: string, keyId: string): Promise<void> {
    await this.#change(name, (old) => {
      const known = requireKnown(name, old);
      if (known.keys.some((key) => key.keyId === keyId)) {
        const keys = known.keys.map((key) =>
          key.keyId === keyId ? { ...key, revoked: true as const } : key,
        );
        return { ...known, keys };
      }
      throw new ActrError("not_found", `${name} has no key ${keyId}`);
    });
  }

  /** Suspends a manufacturer with all its keys, or lets it back in, durably. @throws ActrError `not_found`; `invalid_argument`, details `reason` `configured`; `storage`. */
  async setSuspended(name: string, suspended: boolean): Promise<void> {
    await this.#change(name, (old) => ({ ...requireKnown(name, old), suspended }));
  }

  async #current(name: string): Promise<Manufacturer | undefined> {
    return this.#configured.get(name) ?? (await this.#kept.load(name));
  }

  async #change(
    name: string,
    change: (old: Manufacturer | undefined) => Manufacturer,
  ): Promise<void> {
    if (this.#configured.has(name)) {
      throw unacceptable(
        `manufacturer ${name} comes from the options; change it there`,
        "configured",
      );
    }
    await this.#kept.update(name, change);
  }

  #ended({ expiresAt }: ManufacturerKey): boolean {
    return expiresAt !== undefined && expiresAt * 1000 <= this.#clock.now();
  }
}

function requireKnown(name: string, manufacturer: Manufacturer | undefined): Manufacturer {
  if (manufacturer !== undefined) return manufacturer;
  throw new ActrError("not_found", `there is no manufacturer ${name}`);
}

function requireManufacturer(name: string): void {
  const fault = nameFault("name", name);
  if (fault === undefined) return;
  throw unacceptable(`${fault}: ${JSON.stringify(name)} is no name of a manufacturer`, "name");
}

async function keyOf(publicKey: string): Promise<ManufacturerKey> {
  const bytes = fromBase64(publicKey);
  if (bytes === undefined || bytes.length !== ed25519Bytes.publicKey) {
    throw unacceptable("a manufacturer's key is base64 of 32 bytes, raw Ed25519", "key");
  }
  await importVerifyKey(bytes).catch((cause: unknown) => {
    throw unacceptable(ActrError.from(cause).message, "key");
  });
  return { keyId: await manufacturerKeyId(bytes), publicKey };
}
