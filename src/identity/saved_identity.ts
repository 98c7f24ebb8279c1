import { toActrIdMessage } from "../protocol/id_messages.ts";
import { decode, encode, RegisterResponse_RegisterOkSchema } from "../protocol/schema.ts";
import type { IssuedIdentity } from "./issued_identity.ts";
import { readIdentity } from "./register_ok.ts";

/** An identity as bytes to keep across restarts: protobuf `actr.RegisterResponse.RegisterOk`. Holds secrets. */
export function encodeIdentity(identity: IssuedIdentity): Uint8Array<ArrayBuffer> {
  const { turnCredential: turn, renewalToken, renewalTokenExpiresAtMs } = identity;
  return encode(RegisterResponse_RegisterOkSchema, {
    actrId: toActrIdMessage(identity.id),
    credential: identity.credential,
    turnCredential: {
      username: turn?.username ?? "",
      password: turn?.password ?? "",
      expiresAt: BigInt(Math.floor((turn?.expiresAtMs ?? 0) / 1_000)),
      iceUrls: [...(turn?.iceUrls ?? [])],
    },
    credentialExpiresAt: timestamp(identity.credentialExpiresAtMs),
    signalingHeartbeatIntervalSecs: Math.ceil(identity.heartbeatIntervalMs / 1_000),
    signingPubkey: identity.signingKey.publicKey,
    signingKeyId: identity.signingKey.id,
    ...(renewalToken === undefined ? {} : { renewalToken }),
    ...(renewalTokenExpiresAtMs === undefined
      ? {}
      : { renewalTokenExpiresAt: timestamp(renewalTokenExpiresAtMs) }),
  });
}

function timestamp(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1e6 };
}

/** The identity in bytes of {@link encodeIdentity}; undefined when they hold none, so that the node registers anew. */
export function decodeIdentity(bytes: Uint8Array): IssuedIdentity | undefined {
  try {
    return readIdentity("saved identity", decode(RegisterResponse_RegisterOkSchema, bytes));
  } catch {
    return undefined;
  }
}
