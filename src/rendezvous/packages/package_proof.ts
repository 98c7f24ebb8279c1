import { ActrError } from "../../errors.ts";
import { toHex, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";
import { type ActrType, actrTypeEquals, formatActrType } from "../../protocol/ids.ts";
import { manufacturerProofText } from "../../protocol/manufacturer.ts";
import type { RegisterRequest } from "../../protocol/schema.ts";
import { verifySignature } from "../../protocol/signing_key.ts";
import type { Ais } from "../ais/ais.ts";
import { nowSeconds } from "../ais/issue.ts";
import type { Refusal } from "../ais/realms.ts";
import { type PackageManifest, readPackageManifest } from "./package_manifest.ts";

/** What a package claims to be. */
export interface PackageClaim {
  readonly realm: number;
  readonly type: ActrType;
  readonly request: RegisterRequest;
}

/** How far ahead of this server's clock, and how old, a proof may be: seconds, both inclusive. */
const window = { ahead: 60, old: 300 } as const;

const malformed: Refusal = { code: 400, message: "Invalid credential format" };
const unproven: Refusal = { code: 403, message: "manufacturer not verified or not registered" };

/** Why a package may not register, if so: it is neither published nor proven by its manufacturer (`spec/protocol.md` §6.2). */
export async function packageRefusal(ais: Ais, claim: PackageClaim): Promise<Refusal | undefined> {
  const { target, manifestRaw } = claim.request;
  if (claim.type.version === "" || target === "" || manifestRaw.length === 0) return malformed;
  const manifestSha256Hex = toHex(await sha256(manifestRaw));
  const published = await ais.packages.find(formatActrType(claim.type), target);
  if (published !== undefined) {
    const same = !published.revoked && published.manifestSha256 === manifestSha256Hex;
    return same ? undefined : unproven;
  }
  return await proofRefusal(ais, claim, manifestSha256Hex);
}

/** The checks of a proof, in the order of the original. */
async function proofRefusal(
  ais: Ais,
  claim: PackageClaim,
  manifestSha256Hex: string,
): Promise<Refusal | undefined> {
  const { request } = claim;
  if (isIncomplete(request)) return unproven;
  const early = nonceRefusal(request) ?? timeRefusal(request, nowSeconds(ais));
  if (early !== undefined) return early;
  const manifest = read(request.manifestRaw);
  if ("code" in manifest) return manifest;
  const key = await signingKey(ais, manifest);
  if ("code" in key) return key;
  const signed = await verifySignature(key, request.mfrSignature, request.manifestRaw);
  if (!signed) return unproven;
  return (
    subjectRefusal(manifest, claim) ??
    (await signatureRefusal(key, claim, manifestSha256Hex)) ??
    (await repeatRefusal(ais, manifest, request))
  );
}

function isIncomplete(request: RegisterRequest): boolean {
  return (
    request.mfrSignature.length === 0 ||
    request.manufacturerAuthSignature.length === 0 ||
    request.manufacturerAuthSignedAt === 0n ||
    request.manufacturerAuthNonce.length === 0
  );
}

function nonceRefusal({ manufacturerAuthNonce: { length } }: RegisterRequest): Refusal | undefined {
  if (length === 16 || length === 32) return undefined;
  return { code: 400, message: `Invalid nonce: 16 or 32 bytes, not ${length}` };
}

function timeRefusal(request: RegisterRequest, now: number): Refusal | undefined {
  const signedAt = Number(request.manufacturerAuthSignedAt);
  if (signedAt > now + window.ahead) {
    return { code: 400, message: `Invalid timestamp: ${signedAt - now} s ahead` };
  }
  return signedAt < now - window.old ? { code: 401, message: "Token has expired" } : undefined;
}

function read(bytes: Uint8Array): PackageManifest | Refusal {
  try {
    return readPackageManifest(bytes);
  } catch (error) {
    return { code: 400, message: `Invalid manifest: ${ActrError.from(error).message}` };
  }
}

async function signingKey(
  { manufacturers }: Ais,
  { signingKeyId, type }: PackageManifest,
): Promise<CryptoKey | Refusal> {
  const found = await manufacturers.find(type.manufacturer, signingKeyId);
  switch (found.state) {
    case "valid":
      return found.key;
    case "unknown":
      return { code: 500, message: "manufacturer key not found" };
    case "revoked":
    case "expired":
      return { code: 403, message: `manufacturer key is ${found.state}` };
  }
}

/** The manifest must be that of the type and target that are claimed. */
function subjectRefusal(
  { type, target }: PackageManifest,
  claim: PackageClaim,
): Refusal | undefined {
  if (target === undefined) return { code: 400, message: "Invalid manifest: no binary.target" };
  const same = actrTypeEquals(type, claim.type) && target === claim.request.target;
  return same ? undefined : unproven;
}

async function signatureRefusal(
  key: CryptoKey,
  { realm, type, request }: PackageClaim,
  manifestSha256Hex: string,
): Promise<Refusal | undefined> {
  const text = manufacturerProofText({
    realm,
    actrType: formatActrType(type),
    target: request.target,
    manifestSha256Hex,
    signedAt: Number(request.manufacturerAuthSignedAt),
    nonce: request.manufacturerAuthNonce,
  });
  const proven = await verifySignature(key, request.manufacturerAuthSignature, utf8(text));
  return proven ? undefined : unproven;
}

/** Last, so that nobody but the manufacturer can use up a nonce. */
async function repeatRefusal(
  { nonces }: Ais,
  { type, signingKeyId }: PackageManifest,
  { manufacturerAuthNonce }: RegisterRequest,
): Promise<Refusal | undefined> {
  const owner = `${type.manufacturer}/${signingKeyId}`;
  const isNew = await nonces.take(owner, manufacturerAuthNonce);
  return isNew ? undefined : { code: 403, message: "manufacturer nonce has been used" };
}
