import { toHex, utf8 } from "./bytes.ts";
import { sha256 } from "./crypto.ts";

/** What is sent to publish a package, its keys in the order that is signed; bytes are base64 (`spec/protocol.md` §15). */
export interface Publication {
  readonly manufacturer: string;
  readonly name: string;
  readonly version: string;
  readonly target: string;
  readonly manifest: string;
  readonly signature: string;
  /** Kept by nobody here; signed with the rest. */
  readonly proto_files?: unknown;
  readonly nonce: string;
}

/** The bytes that the manufacturer signs beside it: that this is to be published, once. @param nonce the bytes of its nonce. */
export async function publicationProof(
  publication: Publication,
  nonce: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const text = [
    "ACTR-PUBLISH-V1",
    `manufacturer=${publication.manufacturer}`,
    "method=POST",
    "path=/mfr/pkg/publish",
    `nonce=${toHex(nonce)}`,
    `body_sha256=${toHex(await sha256(utf8(JSON.stringify(publication))))}`,
  ];
  return utf8(text.join("\n"));
}
