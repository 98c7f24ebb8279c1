import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import type { Credential } from "../../protocol/credential_codec.ts";
import { type ActrId, formatActrId } from "../../protocol/ids.ts";
import type { KeyRing } from "./keys.ts";

/**
 * Checks the credentials of one connection. A node sends the same one with every message: the last good one is
 * recognised by its bytes, so that only a new one costs a signature check.
 */
export class CredentialCheck {
  readonly #keys: KeyRing;
  readonly #clock: Clock;
  readonly #realm: number;
  readonly #actorId: string;
  #known: Credential | undefined;
  #expiresAt = 0;

  constructor(keys: KeyRing, clock: Clock, id: ActrId) {
    this.#keys = keys;
    this.#clock = clock;
    this.#realm = id.realm;
    this.#actorId = formatActrId(id);
  }

  /**
   * Why the node should renew now, to be told to it, since real clients renew only when told: its credential is in the
   * last third of its life, or another key signs by now. Undefined when it need not.
   */
  warning(ttlMs: number): string | undefined {
    const left = this.#expiresAt - Math.floor(this.#clock.now() / 1000);
    if (left * 1000 <= ttlMs / 3) return `the credential expires in ${left} s; renew it`;
    const replaced = this.#known !== undefined && this.#keys.inTolerance(this.#known.keyId);
    return replaced ? "the key of the credential has been replaced; renew it" : undefined;
  }

  /** Passes when `credential` was issued to this node and holds; at once when it is the one last seen. @throws ActrError `permission_denied`. */
  check(credential: Credential): undefined | Promise<void> {
    const now = Math.floor(this.#clock.now() / 1000);
    if (!sameCredential(credential, this.#known)) return this.#verify(credential, now);
    if (this.#expiresAt <= now) throw new ActrError("permission_denied", "Token has expired");
    // A key may end, or be revoked, before what it signed expires.
    if (this.#keys.publicKey(credential.keyId) !== undefined) return undefined;
    return this.#verify(credential, now);
  }

  async #verify(credential: Credential, now: number): Promise<void> {
    const expected = { now, realm: this.#realm, actorId: this.#actorId };
    const { expiresAt } = await this.#keys.verify(credential, expected);
    this.#known = credential;
    this.#expiresAt = expiresAt;
  }
}

function sameCredential(a: Credential, b: Credential | undefined): boolean {
  return (
    b !== undefined &&
    a.keyId === b.keyId &&
    equalBytes(a.signature, b.signature) &&
    equalBytes(a.claims, b.claims)
  );
}
