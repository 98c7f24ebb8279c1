import type { Registration } from "../identity/ais_client.ts";
import type { IssuedIdentity } from "../identity/issued_identity.ts";
import { decodeIdentity, encodeIdentity } from "../identity/saved_identity.ts";
import type { Store } from "../ports/store.ts";
import { equalBytes, toHex, utf8 } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/crypto.ts";
import { formatActrType } from "../protocol/ids.ts";

/** Where a node keeps who it is: the identity, and what it was registered for. */
const space = "node";

/** The identity of a node's last run, in its store. */
export class IdentityRecord {
  readonly #store: Store;
  /** Digest of what the node registers for now. */
  readonly #purpose: Uint8Array;

  /** @param aisUrl the service that issues the identity: another one does not know it. */
  static async of(
    store: Store,
    aisUrl: string,
    registration: Registration,
  ): Promise<IdentityRecord> {
    const { type, realm, acl, wsAddress, serviceSpec: spec, package: its } = registration;
    const described = spec && [spec.fingerprint, spec.name, spec.description ?? null, spec.tags];
    const purpose = [
      ...[aisUrl, formatActrType(type), realm, wsAddress ?? null, acl?.rules ?? null],
      ...(described === undefined ? [] : [described]),
      ...(its === undefined ? [] : [its.target, toHex(await sha256(its.manifest))]),
    ];
    return new IdentityRecord(store, await sha256(utf8(JSON.stringify(purpose))));
  }

  private constructor(store: Store, purpose: Uint8Array) {
    this.#store = store;
    this.#purpose = purpose;
  }

  /** The identity kept last, when it was registered for the same: renewing carries neither address nor rules nor description. */
  async load(): Promise<IssuedIdentity | undefined> {
    const purpose = await this.#store.record(space, "registration");
    const identity = await this.#store.record(space, "identity");
    if (purpose === undefined || identity === undefined) return undefined;
    return equalBytes(purpose, this.#purpose) ? decodeIdentity(identity) : undefined;
  }

  /** Keeps an identity for the next run. @throws ActrError `storage`. */
  async save(identity: IssuedIdentity): Promise<void> {
    await this.#store.commit([
      { kind: "record.put", space, key: "registration", value: this.#purpose },
      { kind: "record.put", space, key: "identity", value: encodeIdentity(identity) },
    ]);
  }
}
