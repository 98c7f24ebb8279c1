import { decodeClaims } from "../protocol/credential_codec.ts";
import { fromActrIdMessage } from "../protocol/id_messages.ts";
import { type ActrId, actrIdEquals, formatActrId } from "../protocol/ids.ts";
import type { RegisterResponse_RegisterOk as RegisterOk } from "../protocol/schema.ts";
import { ed25519Bytes } from "../protocol/signing_key.ts";
import { issueError } from "./issue_failure.ts";
import type { IssuedIdentity, TurnCredential } from "./issued_identity.ts";

/** Interval of a service that gives none, seconds. */
const defaultHeartbeatSeconds = 30;

/** ICE servers taken from an answer at most. */
const maxIceUrls = 16;

type Timestamp = RegisterOk["credentialExpiresAt"];

/**
 * The identity in an answer. An expiry that is missing is taken from the claims; TURN credential and renewal token may be missing.
 * @param what begins the error text.
 * @throws ActrError `registration`, failure `Protocol`, when id, credential or key is unusable.
 */
export function readIdentity(what: string, ok: RegisterOk): IssuedIdentity {
  try {
    return readFields(ok);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw issueError(what, "Protocol", `the answer is unusable: ${reason}`, { cause });
  }
}

function readFields(ok: RegisterOk): IssuedIdentity {
  const id = fromActrIdMessage(ok.actrId);
  const { credential, renewalToken, signingPubkey } = ok;
  if (credential === undefined) throw new TypeError("the credential is missing");
  if (signingPubkey.length !== ed25519Bytes.publicKey) {
    throw new TypeError(`the signing key has ${signingPubkey.length} bytes`);
  }
  const { keyId, claims, signature } = credential;
  const turnCredential = readTurn(ok.turnCredential);
  const tokenExpiresAtMs = toMs(ok.renewalTokenExpiresAt);
  return {
    id,
    idText: formatActrId(id),
    credential: { keyId, claims, signature },
    credentialExpiresAtMs: toMs(ok.credentialExpiresAt) ?? decodeClaims(claims).expiresAt * 1_000,
    ...(turnCredential === undefined ? {} : { turnCredential }),
    ...(renewalToken.length === 0 ? {} : { renewalToken: renewalToken.slice() }),
    ...(tokenExpiresAtMs === undefined ? {} : { renewalTokenExpiresAtMs: tokenExpiresAtMs }),
    heartbeatIntervalMs: (ok.signalingHeartbeatIntervalSecs || defaultHeartbeatSeconds) * 1_000,
    signingKey: { id: ok.signingKeyId, publicKey: signingPubkey.slice() },
  };
}

/** A credential without a user name is none: the field is required on the wire. */
function readTurn(turn: RegisterOk["turnCredential"]): TurnCredential | undefined {
  if (turn === undefined || turn.username === "") return undefined;
  const { username, password, expiresAt } = turn;
  const iceUrls = turn.iceUrls.slice(0, maxIceUrls);
  return {
    username,
    password,
    expiresAtMs: Number(expiresAt) * 1_000,
    ...(iceUrls.length > 0 && { iceUrls }),
  };
}

/** A time before 1970 counts as 1970. */
function toMs(time: Timestamp): number | undefined {
  if (time === undefined) return undefined;
  return Math.max(0, Number(time.seconds) * 1_000 + Math.floor(time.nanos / 1e6));
}

/** What a renewal or reissue must answer beyond a registration: the same id, a credential for it, and every expiry (`spec/protocol.md` §6.4). @throws ActrError `registration`, failure `Protocol`. */
export function checkRenewal(
  what: string,
  id: ActrId,
  ok: RegisterOk,
  issued: IssuedIdentity,
): void {
  const refuse = (text: string): never => {
    throw issueError(what, "Protocol", text);
  };
  if (!actrIdEquals(issued.id, id)) refuse(`it is for ${issued.idText}, not ${formatActrId(id)}`);
  const claims = readClaims(issued.credential.claims);
  if (claims?.actorId !== issued.idText || claims.realm !== id.realm) {
    refuse("the credential names another actor");
  }
  if (ok.credentialExpiresAt === undefined) refuse("the expiry of the credential is missing");
  if (ok.renewalToken.length === 0) refuse("the renewal token is missing");
  if (ok.renewalTokenExpiresAt === undefined) refuse("the expiry of the token is missing");
}

function readClaims(bytes: Uint8Array): ReturnType<typeof decodeClaims> | undefined {
  try {
    return decodeClaims(bytes);
  } catch {
    return undefined;
  }
}
