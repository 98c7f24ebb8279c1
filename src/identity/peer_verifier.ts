import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { type CredentialFault, verifyCredential } from "../protocol/credential.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import type { PeerHeaders } from "../protocol/peer_headers.ts";
import type { KeyCache } from "./key_cache.ts";

/** Why a peer was turned away; stands in `details.reason` of the error. */
export type PeerFault =
  | CredentialFault
  /** The identity service does not know the key. */
  | "key_unknown"
  /** The key could not be had now. */
  | "key_unavailable"
  /** The peer is of another realm, and only our own is let in. */
  | "foreign_realm";

/** Whom to let in, beyond a credential that holds. */
export interface PeerVerifierOptions {
  /** The only realm let in, u32; absent to let the ACL decide. */
  readonly onlyRealm?: () => number;
}

/** Verifies who dials a direct WebSocket, before the upgrade is answered (`spec/transport.md` §5.3). */
export class PeerVerifier {
  readonly #clock: Clock;
  readonly #keys: Pick<KeyCache, "get">;
  readonly #options: PeerVerifierOptions;

  constructor(
    components: { readonly clock: Clock; readonly keys: Pick<KeyCache, "get"> },
    options: PeerVerifierOptions = {},
  ) {
    this.#clock = components.clock;
    this.#keys = components.keys;
    this.#options = options;
  }

  /** The verified peer. @throws ActrError `permission_denied`, details `reason` of {@link PeerFault}; the signal's reason. */
  async verify(
    { source, credential }: PeerHeaders,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ActrId> {
    const realm = this.#options.onlyRealm?.() ?? source.realm;
    if (source.realm !== realm)
      throw denied("foreign_realm", `realm ${source.realm} is not let in`);
    // Cheap, and it spares a stranger's nonsense a question to the identity service.
    if (credential.signature.length !== 64) throw denied("signature", "it must have 64 bytes");
    const key = await this.#key(credential.keyId, signal);
    await verifyCredential(credential, key, {
      now: Math.floor(this.#clock.now() / 1_000),
      realm,
      actorId: formatActrId(source),
    });
    return source;
  }

  async #key(keyId: number, signal: AbortSignal): Promise<CryptoKey> {
    try {
      return await this.#keys.get(keyId, { signal });
    } catch (cause) {
      signal.throwIfAborted();
      const unknown = ActrError.is(cause) && cause.code === "not_found";
      throw denied(unknown ? "key_unknown" : "key_unavailable", `no signing key ${keyId}`, cause);
    }
  }
}

function denied(reason: PeerFault, text: string, cause?: unknown): ActrError {
  return new ActrError("permission_denied", `peer refused: ${text}`, {
    details: { reason },
    cause,
  });
}
