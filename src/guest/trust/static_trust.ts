import { ed25519Bytes } from "../../protocol/signing_key.ts";
import { verifySignedBy } from "./signed_by.ts";
import type { TrustProvider } from "./trust_provider.ts";

/** Trusts what is signed with one key, whoever made it. @param publicKey 32 raw bytes. @throws RangeError for another length. */
export function staticTrust(publicKey: Uint8Array): TrustProvider {
  if (publicKey.length !== ed25519Bytes.publicKey) {
    const length = `${publicKey.length} bytes`;
    throw new RangeError(
      `an Ed25519 public key has ${ed25519Bytes.publicKey} bytes, got ${length}`,
    );
  }
  // Not slice(): that of a Buffer copies nothing.
  const key = new Uint8Array(publicKey);
  return { verify: (bytes, options) => verifySignedBy(key, bytes, options) };
}
