import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { Store } from "../../ports/store.ts";
import {
  type CredentialExpectation,
  signCredential,
  verifyCredential,
} from "../../protocol/credential.ts";
import type { Credential, IdentityClaims } from "../../protocol/credential_codec.ts";
import { ed25519Bytes } from "../../protocol/signing_key.ts";
import type { ResolvedRendezvousOptions } from "../options.ts";
import { type KeptKey, keyRecord, readKey, recordKey } from "./key_record.ts";
import { unacceptable } from "./unacceptable.ts";

/** The half of a key that everyone may see. */
export interface PublicKey {
  readonly keyId: number;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/** A key as operators see it. */
export interface KeyState extends PublicKey {
  /** From when on it signs, Unix milliseconds; in the future for one that is announced. */
  readonly signsFrom: number;
  /** From when on what it signed no longer counts, Unix milliseconds; absent as long as none follows it. */
  readonly endsAt?: number;
}

/** What keys stand on. */
export interface KeyComponents {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
}

type Terms = Pick<ResolvedRendezvousOptions, "keyLifeMs" | "keyToleranceMs">;

const space = "rendezvous.keys";
/** More keys than rotation will ever have left behind. */
const maxKeys = 1000;
/** How long a planned key is known before it signs, milliseconds: other servers on the store read it meanwhile. */
const announcementMs = 180_000;
/** Shortest time from one look for a key that is not known to the next, milliseconds: strangers cause them. */
const lookPauseMs = 1000;

/**
 * The keys that sign credentials. One signs at a time; what an earlier one signed counts for the time of tolerance, so
 * that neither a restart nor a rotation orphans anybody. Several servers may share the store, and so the keys.
 */
export class KeyRing {
  readonly #components: KeyComponents;
  readonly #terms: Terms;
  /** Ascending, never empty. */
  #keys: readonly KeptKey[] = [];
  #adding: Promise<KeptKey> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  private constructor(components: KeyComponents, terms: Terms) {
    this.#components = components;
    this.#terms = terms;
  }

  /** Loads the keys of a store; makes the first one in a new store. @throws ActrError `storage`. */
  static async open(components: KeyComponents, terms: Terms): Promise<KeyRing> {
    const ring = new KeyRing(components, terms);
    await ring.refresh();
    if (ring.#keys.length === 0) await ring.#add(components.clock.now());
    return ring;
  }

  /** The key that signs now. */
  get current(): PublicKey {
    return publicHalf(this.#signer());
  }

  /** Every key that counts or is announced, the oldest first. */
  list(): KeyState[] {
    return this.#keys
      .filter((key) => this.#counts(key))
      .map((key) => {
        const endsAt = this.#endsAt(key);
        const { signsFrom } = key;
        return { ...publicHalf(key), signsFrom, ...(endsAt !== undefined && { endsAt }) };
      });
  }

  /** Raw public key with a number, 32 bytes; undefined when none has it, or it has ended. */
  publicKey(keyId: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#find(keyId)?.signing.publicKey;
  }

  /** Whether what this key signed counts for the time of tolerance alone: another one signs now. */
  inTolerance(keyId: number): boolean {
    return keyId < this.#signer().keyId;
  }

  /** A credential, signed with one of these keys; the current one when none is named. */
  sign(claims: IdentityClaims, { keyId }: PublicKey = this.current): Promise<Credential> {
    const key = this.#find(keyId) ?? this.#signer();
    return signCredential(key.signing, key.keyId, claims);
  }

  /** Claims of a credential that one of these keys signed and that holds. @throws ActrError `permission_denied`; `storage`. */
  async verify(credential: Credential, expected: CredentialExpectation): Promise<IdentityClaims> {
    const { keyId } = credential;
    const key = this.#find(keyId) ?? (await this.#look(keyId));
    if (key !== undefined) return await verifyCredential(credential, key.verify, expected);
    throw new ActrError("permission_denied", `no key has number ${keyId}, or it has ended`);
  }

  /**
   * Makes a key, durably, that signs `inMs` from now on; until then it is announced, so that other servers on the store
   * know it. What was signed before counts for the time of tolerance. @throws ActrError `invalid_argument`; `storage`.
   */
  async rotate({ inMs = announcementMs }: { readonly inMs?: number } = {}): Promise<KeyState> {
    if (!(inMs >= 0)) throw unacceptable(`inMs must not be below 0, as ${inMs} is`, "inMs");
    const key = await this.#add(this.#components.clock.now() + inMs);
    return { ...publicHalf(key), signsFrom: key.signsFrom };
  }

  /**
   * Ends a key at once, durably: nodes whose credential it signed have to renew. Only one that no longer signs.
   * @throws ActrError `not_found`; `invalid_argument` for one that signs, or will; `storage`.
   */
  async revoke(keyId: number): Promise<void> {
    const key = this.#keys.find((each) => each.keyId === keyId);
    if (key === undefined) throw new ActrError("not_found", `no key has number ${keyId}`);
    if (!this.inTolerance(keyId)) {
      throw new ActrError("invalid_argument", `key ${keyId} signs; rotate first, at once`);
    }
    await this.#drop([key]);
  }

  /** Sees the keys of other servers, announces the next key in time and forgets those that ended. @throws ActrError `storage`. */
  async maintain(): Promise<void> {
    await this.refresh();
    const newest = this.#keys.at(-1) as KeptKey;
    const dueAt = newest.signsFrom + this.#terms.keyLifeMs - announcementMs;
    if (this.#components.clock.now() >= dueAt) await this.rotate();
    await this.#drop(this.#keys.filter((key) => !this.#counts(key)));
  }

  /** Reads the keys again. @throws ActrError `storage`. */
  async refresh(): Promise<void> {
    const records = await this.#components.store.records(space, "", maxKeys);
    const known = new Map(this.#keys.map((key) => [key.keyId, key]));
    const keys = records.map((record) => known.get(Number(record.key)) ?? readKey(record));
    this.#keys = await Promise.all(keys);
  }

  /** The key of that number, when another server has made it lately. */
  async #look(keyId: number): Promise<KeptKey | undefined> {
    const now = this.#components.clock.monotonic();
    if (now < this.#lookedAt + lookPauseMs) return undefined;
    this.#lookedAt = now;
    await this.refresh();
    return this.#find(keyId);
  }

  /** One key more: the one that is being made, if one is. */
  #add(signsFrom: number): Promise<KeptKey> {
    this.#adding ??= this.#make(signsFrom).finally(() => {
      this.#adding = undefined;
    });
    return this.#adding;
  }

  /** Another key, of this server or of one that was faster. */
  async #make(signsFrom: number): Promise<KeptKey> {
    const { store, random } = this.#components;
    const keyId = (this.#keys.at(-1)?.keyId ?? 0) + 1;
    const { key, value } = keyRecord(keyId, random.bytes(ed25519Bytes.seed), signsFrom);
    try {
      await store.commit([
        { kind: "record.expect", space, key, value: null },
        { kind: "record.put", space, key, value },
      ]);
    } catch (error) {
      if (ActrError.from(error).code !== "lease_lost") throw error;
    }
    await this.refresh();
    return this.#keys.at(-1) as KeptKey;
  }

  async #drop(keys: readonly KeptKey[]): Promise<void> {
    if (keys.length === 0) return;
    const changes = keys.map(({ keyId }) => {
      return { kind: "record.delete", space, key: recordKey(keyId) } as const;
    });
    await this.#components.store.commit(changes);
    this.#keys = this.#keys.filter((key) => !keys.includes(key));
  }

  #signer(): KeptKey {
    const now = this.#components.clock.now();
    const signing = this.#keys.findLast(({ signsFrom }) => signsFrom <= now);
    return signing ?? (this.#keys[0] as KeptKey);
  }

  #find(keyId: number): KeptKey | undefined {
    const key = this.#keys.find((each) => each.keyId === keyId);
    return key && this.#counts(key) ? key : undefined;
  }

  #counts(key: KeptKey): boolean {
    const endsAt = this.#endsAt(key);
    return endsAt === undefined || endsAt > this.#components.clock.now();
  }

  /** When the first that follows has signed for the time of tolerance. */
  #endsAt({ keyId }: KeptKey): number | undefined {
    let followed = Number.POSITIVE_INFINITY;
    for (const each of this.#keys) {
      if (each.keyId > keyId) followed = Math.min(followed, each.signsFrom);
    }
    return followed === Number.POSITIVE_INFINITY
      ? undefined
      : followed + this.#terms.keyToleranceMs;
  }
}

function publicHalf({ keyId, signing }: KeptKey): PublicKey {
  return { keyId, publicKey: signing.publicKey };
}
