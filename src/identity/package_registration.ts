import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { toHex, utf8 } from "../protocol/bytes.ts";
import { sha256 } from "../protocol/crypto.ts";
import { type ActrType, formatActrType } from "../protocol/ids.ts";
import { type ManufacturerProof, manufacturerProofText } from "../protocol/manufacturer.ts";
import { RegisterAuthMode } from "../protocol/schema.ts";
import { type SigningKey, sign } from "../protocol/signing_key.ts";

/** What a manufacturer is asked to sign for, beside time and nonce. */
export type ProofSubject = Omit<ManufacturerProof, "signedAt" | "nonce">;

/** A manufacturer's consent to one registration; the nonce counts once (`spec/protocol.md` §6.2). */
export interface ManufacturerConsent {
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
  /** Unix seconds. */
  readonly signedAt: number;
  /** 16 or 32 random bytes. */
  readonly nonce: Uint8Array;
}

/** Asks the manufacturer of a package that is not published; asked again for every registration. */
export type ManufacturerProver = (
  subject: ProofSubject,
  options: { readonly signal: AbortSignal },
) => Promise<ManufacturerConsent>;

/** What a node registers with that runs a package (`spec/guest.md` §9). */
export interface PackageRegistration {
  /** As the package has it, byte for byte. */
  readonly manifest: Uint8Array;
  /** Of the manifest, 64 bytes. */
  readonly signature: Uint8Array;
  /** Target of the binary, such as `wasm32-wasip2`. */
  readonly target: string;
  /** None: the package is published. */
  readonly proof?: ManufacturerProver;
}

/** Fields of `actr.RegisterRequest` by which a server tells linked nodes from packages. */
export interface ModeFields {
  readonly authMode: RegisterAuthMode;
  readonly manifestRaw?: Uint8Array;
  readonly mfrSignature?: Uint8Array;
  readonly target?: string;
  readonly manufacturerAuthSignature?: Uint8Array;
  readonly manufacturerAuthSignedAt?: bigint;
  readonly manufacturerAuthNonce?: Uint8Array;
}

/** What a registration without a package says of that. */
export const linkedFields: ModeFields = { authMode: RegisterAuthMode.LINKED };

/** What a registration says of its package, with a fresh proof where it has to be proven. @throws what the prover throws. */
export async function packageFields(
  { manifest, signature, target, proof }: PackageRegistration,
  { type, realm }: { readonly type: ActrType; readonly realm: number },
  signal: AbortSignal,
): Promise<ModeFields> {
  const fields = {
    authMode: RegisterAuthMode.PACKAGE,
    manifestRaw: manifest,
    mfrSignature: signature,
    target,
  };
  if (proof === undefined) return fields;
  const manifestSha256Hex = toHex(await sha256(manifest));
  const subject = { realm, actrType: formatActrType(type), target, manifestSha256Hex };
  const consent = await proof(subject, { signal });
  return {
    ...fields,
    manufacturerAuthSignature: consent.signature,
    manufacturerAuthSignedAt: BigInt(consent.signedAt),
    manufacturerAuthNonce: consent.nonce,
  };
}

/** Consents with the manufacturer's own key, as its developers do. */
export function provenBy(
  key: SigningKey,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): ManufacturerProver {
  return async (subject) => {
    const signedAt = Math.floor(clock.now() / 1000);
    const nonce = random.bytes(32);
    const text = manufacturerProofText({ ...subject, signedAt, nonce });
    return { signature: await sign(key, utf8(text)), signedAt, nonce };
  };
}
