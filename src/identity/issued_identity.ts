import type { Credential } from "../protocol/credential_codec.ts";
import type { ActrId } from "../protocol/ids.ts";
import type { IssuerKey } from "./key_cache.ts";

/** What a TURN server asks for (`spec/protocol.md` §5). The password is a secret. */
export interface TurnCredential {
  readonly username: string;
  readonly password: string;
  /** Unix milliseconds. */
  readonly expiresAtMs: number;
  /** `stun:`, `turn:` and `turns:` URLs that the service hands out; absent where it names none. */
  readonly iceUrls?: readonly string[];
}

/** What the identity service issued: by a registration, or by a renewal for the same id. */
export interface IssuedIdentity {
  readonly id: ActrId;
  /** Text form of `id`. */
  readonly idText: string;
  /** Bearer token: whoever has it is this node. */
  readonly credential: Credential;
  /** Unix milliseconds. */
  readonly credentialExpiresAtMs: number;
  readonly turnCredential?: TurnCredential;
  /** 32 bytes; absent when the service gives none, then an expired credential means a new registration. */
  readonly renewalToken?: Uint8Array<ArrayBuffer>;
  /** Unix milliseconds; absent when the service does not say. */
  readonly renewalTokenExpiresAtMs?: number;
  /** From one heartbeat to the next, milliseconds. */
  readonly heartbeatIntervalMs: number;
  /** The key that the credential was signed with. */
  readonly signingKey: IssuerKey;
}
