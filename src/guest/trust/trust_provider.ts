import type { VerifiedPackage } from "../package/verified_package.ts";

/** Bounds of one verification. */
export interface TrustOptions {
  /** Longest payload, and longest of all together, bytes. @default 64 MiB */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Decides which packages are run (`spec/guest.md` §6). A program may have one of its own. */
export interface TrustProvider {
  /**
   * The package in `bytes`, proven whole and signed by who is trusted.
   * @throws ActrError that {@link trustRefusalOf} (`refusal.ts`) can name; the signal's reason.
   */
  verify(bytes: Uint8Array, options: TrustOptions): Promise<VerifiedPackage>;
}
