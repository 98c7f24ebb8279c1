import { ActrError } from "../errors.ts";
import { WireReader } from "./wire_reader.ts";
import {
  delimitedSize,
  highHalf,
  lowHalf,
  stringSize,
  tag,
  varint32Size,
  varint64Size,
  WireWriter,
  wireTypes,
} from "./wire_writer.ts";

/** What a credential asserts (`spec/protocol.md` §4.1). */
export interface IdentityClaims {
  /** u32. */
  readonly realm: number;
  /** Canonical text form of the ActrId. */
  readonly actorId: string;
  /** Unix seconds. */
  readonly expiresAt: number;
}

/** A bearer token: who holds it is who it names. Never to be logged. */
export interface Credential {
  /** Names the key of the identity service, u32. */
  readonly keyId: number;
  /** Encoded {@link IdentityClaims}, exactly as they were signed. */
  readonly claims: Uint8Array;
  /** Ed25519 over the claims, 64 bytes. */
  readonly signature: Uint8Array;
}

const tags = {
  realm: tag(1, wireTypes.varint),
  actorId: tag(2, wireTypes.delimited),
  expiresAt: tag(3, wireTypes.varint),
  keyId: tag(1, wireTypes.varint),
  claims: tag(2, wireTypes.delimited),
  signature: tag(3, wireTypes.delimited),
} as const;

/** Bytes to sign: protobuf `actr.IdentityClaims`. */
export function encodeClaims(claims: IdentityClaims): Uint8Array<ArrayBuffer> {
  const { realm, actorId, expiresAt } = claims;
  const [low, high] = [lowHalf(expiresAt), highHalf(expiresAt)];
  const size = 3 + varint32Size(realm) + stringSize(actorId) + varint64Size(low, high);
  const writer = new WireWriter(new Uint8Array(size));
  writer.varint32(tags.realm);
  writer.varint32(realm);
  writer.varint32(tags.actorId);
  writer.string(actorId);
  writer.varint32(tags.expiresAt);
  writer.varint64(low, high);
  return writer.finish();
}

/** The claims in `bytes`. @throws ActrError `decode_failure`, also when one is missing. */
export function decodeClaims(bytes: Uint8Array): IdentityClaims {
  const reader = new WireReader("IdentityClaims", bytes);
  let realm: number | undefined;
  let actorId: string | undefined;
  let expiresAt: number | undefined;
  while (!reader.done) {
    const fieldTag = reader.tag();
    if (fieldTag === tags.realm) realm = reader.uint32();
    else if (fieldTag === tags.actorId) actorId = reader.string();
    else if (fieldTag === tags.expiresAt) expiresAt = reader.int64();
    else reader.skip(fieldTag);
  }
  if (realm === undefined || actorId === undefined || expiresAt === undefined) {
    throw new ActrError("decode_failure", "IdentityClaims: realm, actor id or expiry is missing");
  }
  return { realm, actorId, expiresAt };
}

/** Bytes of a credential: protobuf `actr.AIdCredential`, claims verbatim. */
export function encodeCredential(credential: Credential): Uint8Array<ArrayBuffer> {
  const { keyId, claims, signature } = credential;
  const size =
    3 + varint32Size(keyId) + delimitedSize(claims.length) + delimitedSize(signature.length);
  const writer = new WireWriter(new Uint8Array(size));
  writer.varint32(tags.keyId);
  writer.varint32(keyId);
  writer.varint32(tags.claims);
  writer.bytes(claims);
  writer.varint32(tags.signature);
  writer.bytes(signature);
  return writer.finish();
}

/** The credential in `bytes`, its parts views of them; nothing is verified. @throws ActrError `decode_failure`, also when a part is missing. */
export function decodeCredential(bytes: Uint8Array): Credential {
  const reader = new WireReader("AIdCredential", bytes);
  let keyId: number | undefined;
  let claims: Uint8Array | undefined;
  let signature: Uint8Array | undefined;
  while (!reader.done) {
    const fieldTag = reader.tag();
    if (fieldTag === tags.keyId) keyId = reader.uint32();
    else if (fieldTag === tags.claims) claims = reader.bytes();
    else if (fieldTag === tags.signature) signature = reader.bytes();
    else reader.skip(fieldTag);
  }
  if (keyId === undefined || claims === undefined || signature === undefined) {
    throw new ActrError("decode_failure", "AIdCredential: key id, claims or signature is missing");
  }
  return { keyId, claims, signature };
}
