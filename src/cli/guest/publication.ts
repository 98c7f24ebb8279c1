import type { VerifiedPackage } from "../../guest/package/verified_package.ts";
import { toBase64, toHex, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";
import { type SigningKey, sign } from "../../protocol/signing_key.ts";

/** What is sent to publish a package, without the signature over it: its keys in the order that is signed (`spec/protocol.md` §15). */
export interface Publication {
  readonly manufacturer: string;
  readonly name: string;
  readonly version: string;
  readonly target: string;
  readonly manifest: string;
  readonly signature: string;
  readonly proto_files?: {
    readonly protobufs: readonly { readonly name: string; readonly content: string }[];
  };
  readonly nonce: string;
}

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
  const text = [
    "ACTR-PUBLISH-V1",
    `manufacturer=${publication.manufacturer}`,
    "method=POST",
    "path=/mfr/pkg/publish",
    `nonce=${toHex(nonce)}`,
    `body_sha256=${toHex(await sha256(utf8(JSON.stringify(publication))))}`,
  ];
  return toBase64(await sign(key, utf8(text.join("\n"))));
}
