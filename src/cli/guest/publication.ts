import type { VerifiedPackage } from "../../guest/package/verified_package.ts";
import { toBase64 } from "../../protocol/bytes.ts";
import { type Publication, publicationProof } from "../../protocol/publication.ts";
import { type SigningKey, sign } from "../../protocol/signing_key.ts";

/** The publication of a package with a nonce of the server, base64. */
export function publicationOf(verified: VerifiedPackage, nonce: string): Publication {
  const { manifest, manifestBytes, signature, protos } = verified;
  const { manufacturer, name, version, binary } = manifest;
  // A byte order mark is signed with the rest.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const protobufs = [...protos].map(([name, source]) => ({
    name,
    content: decoder.decode(source),
  }));
  return {
    ...{ manufacturer, name, version, target: binary.target },
    manifest: decoder.decode(manifestBytes),
    signature: toBase64(signature),
    ...(protobufs.length > 0 && { proto_files: { protobufs } }),
    nonce,
  };
}

/** The signature over a publication, base64: it proves that the manufacturer wants it, now. @param nonce the bytes of its nonce. */
export async function publicationSignature(
  publication: Publication,
  nonce: Uint8Array,
  key: SigningKey,
): Promise<string> {
  return toBase64(await sign(key, await publicationProof(publication, nonce)));
}
