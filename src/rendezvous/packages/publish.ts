import { ActrError } from "../../errors.ts";
import { fromBase64, utf8 } from "../../protocol/bytes.ts";
import { type ActrType, actrTypeEquals, formatActrType } from "../../protocol/ids.ts";
import { type Publication, publicationProof } from "../../protocol/publication.ts";
import { verifySignature } from "../../protocol/signing_key.ts";
import type { Ais } from "../ais/ais.ts";
import type { Refusal } from "../ais/realms.ts";
import { type PackageManifest, readPackageManifest } from "./package_manifest.ts";
import { isPublishNonce } from "./publish_nonce.ts";

/** What a manufacturer sends to publish a package (`spec/protocol.md` §15). */
export interface SignedPublication extends Publication {
  readonly nonce_sig: string;
}

/** Target of who names none. */
const defaultTarget = "wasm32-wasip1";
const unsigned: Refusal = { code: 401, message: "bad signature" };

/** The publication in a JSON body. @throws ActrError `invalid_argument`. */
export function readPublication(body: Uint8Array): SignedPublication {
  const fields = parseObject(body);
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value === "string") return value;
    throw new ActrError("invalid_argument", `${name} must be text`);
  };
  const { proto_files } = fields;
  return {
    manufacturer: text("manufacturer"),
    name: text("name"),
    version: text("version"),
    target: fields["target"] === undefined ? defaultTarget : text("target"),
    manifest: text("manifest"),
    signature: text("signature"),
    ...(proto_files !== undefined && proto_files !== null && { proto_files }),
    nonce: text("nonce"),
    nonce_sig: text("nonce_sig"),
  };
}

/** The object of a JSON body. @throws ActrError `invalid_argument`. */
export function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new ActrError("invalid_argument", "the body must be a JSON object");
}

/** Publishes a package that its manufacturer has signed, durably; why not, if it may not be. @throws ActrError `invalid_argument`, details `reason` `exists` where it was published before; `storage`. */
export async function publish(
  ais: Ais,
  publication: SignedPublication,
): Promise<Refusal | undefined> {
  const { manufacturer, name, version, target } = publication;
  const manifest = utf8(publication.manifest);
  const read = readPackageManifest(manifest);
  const refusal = await signatureRefusal(ais, publication, read.signingKeyId);
  if (refusal !== undefined) return refusal;
  const type: ActrType = { manufacturer, name, version };
  const subject = subjectRefusal(read, type, target);
  if (subject !== undefined) return subject;
  const wanted = { type: formatActrType(type), target, manifest };
  await ais.packages.publish(wanted, ais.clock.now());
  ais.log.info("rendezvous.audit.package_published", { type: wanted.type, target });
  return undefined;
}

/** The checks of who publishes, in the order of the original; the nonce is used up last. */
async function signatureRefusal(
  ais: Ais,
  publication: SignedPublication,
  signingKeyId: string,
): Promise<Refusal | undefined> {
  const { manufacturer, manifest } = publication;
  const found = await ais.manufacturers.find(manufacturer, signingKeyId);
  if (found.state === "unknown") return { code: 404, message: "manufacturer key not found" };
  if (found.state !== "valid") {
    return { code: 403, message: `manufacturer key is ${found.state}` };
  }
  const nonce = bytesOf(publication.nonce);
  const stale: Refusal = { code: 401, message: "nonce invalid or expired" };
  if (!(await isPublishNonce(ais, manufacturer, nonce))) return stale;
  const { nonce_sig: _, ...body } = publication;
  const signed = await Promise.all([
    verifySignature(found.key, bytesOf(publication.nonce_sig), await publicationProof(body, nonce)),
    verifySignature(found.key, bytesOf(publication.signature), utf8(manifest)),
  ]);
  if (signed.includes(false)) return unsigned;
  return (await ais.nonces.take(`publish/${manufacturer}`, nonce)) ? undefined : stale;
}

function subjectRefusal(
  manifest: PackageManifest,
  type: ActrType,
  target: string,
): Refusal | undefined {
  if (actrTypeEquals(manifest.type, type) && manifest.target === target) return undefined;
  return { code: 400, message: "the manifest is of another type or target" };
}

function bytesOf(base64: string): Uint8Array {
  return fromBase64(base64) ?? new Uint8Array();
}
