import type { PackageManifest } from "./package_manifest.ts";

/** A package whose signature and hashes all held. Its bytes are copies: no later change of the archive reaches them. */
export interface VerifiedPackage {
  readonly manifest: PackageManifest;
  /** `manifest.toml` as it is stored: what is signed, and what a registration sends. */
  readonly manifestBytes: Uint8Array;
  /** `manifest.sig`, 64 bytes. */
  readonly signature: Uint8Array;
  /** Of the key under which it holds: `mfr-` and 16 hexadecimal digits. */
  readonly keyId: string;
  readonly binary: Uint8Array;
  /** By path. */
  readonly resources: ReadonlyMap<string, Uint8Array>;
  /** By name. */
  readonly protos: ReadonlyMap<string, Uint8Array>;
  /** `manifest.lock.toml`. */
  readonly lockFile?: Uint8Array;
}
