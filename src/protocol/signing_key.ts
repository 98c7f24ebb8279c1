import { ActrError } from "../errors.ts";
import { concatBytes, fromBase64 } from "./bytes.ts";
import { plain } from "./crypto.ts";
import { isStrictPoint, isStrictScalar } from "./strict_ed25519.ts";

/** An Ed25519 key pair; the seed cannot be read back. */
export interface SigningKey {
  readonly privateKey: CryptoKey;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

const algorithm = "Ed25519";

/** Bytes of a seed, a public key, a signature. */
export const ed25519Bytes = { seed: 32, publicKey: 32, signature: 64 } as const;

/** What precedes the seed in a PKCS#8 document of an Ed25519 key (RFC 8410). */
const pkcs8Head = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22],
  ...[0x04, 0x20],
);

/** The key pair of a seed of 32 bytes; take a random seed for a new pair. @throws RangeError for another length. */
export async function importSigningKey(seed: Uint8Array): Promise<SigningKey> {
  if (seed.length !== ed25519Bytes.seed) {
    throw new RangeError(`an Ed25519 seed has ${ed25519Bytes.seed} bytes, got ${seed.length}`);
  }
  const document = concatBytes([pkcs8Head, seed]);
  // Only an extractable key shows its public half; the one that is kept is imported again without that.
  const open = await crypto.subtle.importKey("pkcs8", document, algorithm, true, ["sign"]);
  const { x = "" } = await crypto.subtle.exportKey("jwk", open);
  const privateKey = await crypto.subtle.importKey("pkcs8", document, algorithm, false, ["sign"]);
  document.fill(0);
  return { privateKey, publicKey: fromBase64Url(x) };
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  const padded = standard.padEnd(Math.ceil(standard.length / 4) * 4, "=");
  const bytes = fromBase64(padded);
  if (bytes?.length !== ed25519Bytes.publicKey) {
    throw new ActrError("internal", "the runtime exported no Ed25519 public key");
  }
  return bytes;
}

/**
 * A public key for {@link verifySignature}, from its 32 raw bytes. @throws ActrError `invalid_argument` when they are no key,
 * or one of the few under which everybody can sign (`spec/guest.md` §18.4).
 */
export async function importVerifyKey(publicKey: Uint8Array): Promise<CryptoKey> {
  if (publicKey.length === ed25519Bytes.publicKey && !isStrictPoint(publicKey)) {
    const mend = "make another key";
    throw new ActrError("invalid_argument", `everybody can sign under this Ed25519 key; ${mend}`);
  }
  try {
    return await crypto.subtle.importKey("raw", plain(publicKey), algorithm, false, ["verify"]);
  } catch (cause) {
    const message = `expected an Ed25519 public key of ${ed25519Bytes.publicKey} bytes, got ${publicKey.length} bytes that are none`;
    throw new ActrError("invalid_argument", message, { cause });
  }
}

/** Ed25519 signature of `message`, 64 bytes. */
export async function sign(key: SigningKey, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign(algorithm, key.privateKey, plain(message)));
}

/** Whether `signature` is one of `message` by the holder of `key`, and the one form of it: what WebCrypto may let pass is refused first. */
export async function verifySignature(
  key: CryptoKey,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  if (signature.length !== ed25519Bytes.signature) return false;
  const [point, scalar] = [signature.subarray(0, 32), signature.subarray(32)];
  if (!isStrictPoint(point) || !isStrictScalar(scalar)) return false;
  return await crypto.subtle.verify(algorithm, key, plain(signature), plain(message));
}
