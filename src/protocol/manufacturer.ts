import { toHex } from "./bytes.ts";
import { sha256 } from "./crypto.ts";

/** What a manufacturer signs to register a package that is not published (`spec/protocol.md` §6.2). */
export interface ManufacturerProof {
  readonly realm: number;
  /** Text form of the ActrType. */
  readonly actrType: string;
  /** Target triple of the binary. */
  readonly target: string;
  readonly manifestSha256Hex: string;
  /** Unix seconds. */
  readonly signedAt: number;
  /** 16 or 32 bytes. */
  readonly nonce: Uint8Array;
}

/** The text whose UTF-8 bytes are signed: eight lines, no newline at the end. */
export function manufacturerProofText(proof: ManufacturerProof): string {
  return [
    "ACTR-MANUFACTURER-REGISTER-V1",
    "auth_mode=package",
    `realm=${proof.realm}`,
    `actr_type=${proof.actrType}`,
    `target=${proof.target}`,
    `manifest_sha256=${proof.manifestSha256Hex}`,
    `manufacturer_auth_signed_at=${proof.signedAt}`,
    `manufacturer_auth_nonce=${toHex(proof.nonce)}`,
  ].join("\n");
}

/** The name of a manufacturer's key, from its 32 raw bytes (`spec/protocol.md` §15). */
export async function manufacturerKeyId(publicKey: Uint8Array): Promise<string> {
  return `mfr-${toHex(await sha256(publicKey)).slice(0, 16)}`;
}
