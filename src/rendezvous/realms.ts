import { equalBytes, utf8 } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/crypto.ts";
import type { RealmOptions } from "./options.ts";

/** Why a realm refuses, as ErrorResponse. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** The tenants of this server. Of secrets it keeps hashes only. */
export class Realms {
  readonly #hashes: ReadonlyMap<number, Uint8Array | undefined>;

  private constructor(hashes: ReadonlyMap<number, Uint8Array | undefined>) {
    this.#hashes = hashes;
  }

  /** No realms open every realm. */
  static async open(realms: readonly RealmOptions[]): Promise<Realms> {
    const hashes = new Map<number, Uint8Array | undefined>();
    for (const { id, secret } of realms) {
      hashes.set(id, secret === undefined ? undefined : await sha256(utf8(secret)));
    }
    return new Realms(hashes);
  }

  /** Why nobody may use this realm, if so (`spec/protocol.md` §6.1). */
  refusal(realm: number): Refusal | undefined {
    if (this.#hashes.size === 0 || this.#hashes.has(realm)) return undefined;
    return { code: 403, message: `Realm validation failed: Realm ${realm} not found` };
  }

  /** Why a registration with this secret is refused, if so. Compares hashes in constant time. */
  async secretRefusal(realm: number, secret: string | undefined): Promise<Refusal | undefined> {
    const expected = this.#hashes.get(realm);
    if (expected === undefined) return undefined;
    const given = secret?.trim() ?? "";
    if (given === "") return { code: 403, message: "Realm secret required" };
    const matches = equalBytes(await sha256(utf8(given)), expected);
    return matches ? undefined : { code: 403, message: "Invalid realm secret" };
  }
}
