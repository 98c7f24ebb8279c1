import { ActrError } from "../errors.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import {
  type CredentialExpectation,
  signCredential,
  verifyCredential,
} from "../protocol/credential.ts";
import type { Credential, IdentityClaims } from "../protocol/credential_codec.ts";
import { importSigningKey, importVerifyKey, type SigningKey } from "../protocol/signing_key.ts";

/** The half of a key that everyone may see. */
export interface PublicKey {
  readonly keyId: number;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

interface KeptKey {
  readonly keyId: number;
  readonly signing: SigningKey;
  readonly verify: CryptoKey;
}

const space = "rendezvous.keys";
/** More keys than rotation will ever have left behind. */
const maxKeys = 1000;

/** The keys that sign credentials. All that ever signed are kept, so that a restart orphans nobody. */
export class KeyRing {
  readonly #keys = new Map<number, KeptKey>();
  readonly #current: KeptKey;

  private constructor(keys: readonly KeptKey[], current: KeptKey) {
    for (const key of keys) this.#keys.set(key.keyId, key);
    this.#current = current;
  }

  /** Loads the keys of a store; makes the first one in a new store. @throws ActrError `storage`. */
  static async open(store: Store, random: Random): Promise<KeyRing> {
    const records = await store.records(space, "", maxKeys);
    const keys = await Promise.all(records.map(({ key, value }) => load(Number(key), value)));
    const current = keys.at(-1) ?? (await make(store, random, 1));
    return new KeyRing([...keys, current], current);
  }

  /** The key that signs now. */
  get current(): PublicKey {
    return { keyId: this.#current.keyId, publicKey: this.#current.signing.publicKey };
  }

  /** Raw public key with a number, 32 bytes. */
  publicKey(keyId: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#keys.get(keyId)?.signing.publicKey;
  }

  sign(claims: IdentityClaims): Promise<Credential> {
    return signCredential(this.#current.signing, this.#current.keyId, claims);
  }

  /** Claims of a credential that one of these keys signed and that holds. @throws ActrError `permission_denied`. */
  async verify(credential: Credential, expected: CredentialExpectation): Promise<IdentityClaims> {
    const key = this.#keys.get(credential.keyId);
    if (key !== undefined) return await verifyCredential(credential, key.verify, expected);
    throw new ActrError("permission_denied", `no key has number ${credential.keyId}`);
  }
}

async function load(keyId: number, seed: Uint8Array): Promise<KeptKey> {
  const signing = await importSigningKey(seed);
  return { keyId, signing, verify: await importVerifyKey(signing.publicKey) };
}

async function make(store: Store, random: Random, keyId: number): Promise<KeptKey> {
  const seed = random.bytes(32);
  const key = String(keyId).padStart(10, "0");
  await store.commit([{ kind: "record.put", space, key, value: seed }]);
  return await load(keyId, seed);
}
