/** Bounds of what is read of a package (`spec/guest.md` §5). */
export interface PackageLimits {
  /** Longest listed file, bytes. @default 64 MiB */
  readonly entryBytes: number;
  /** All listed files together, bytes; a file that is listed twice counts twice. @default 64 MiB */
  readonly totalBytes: number;
  /** Listed files. @default 1024 */
  readonly entries: number;
}

/** What {@link PackageLimits} are without a say. */
export const packageLimits: PackageLimits = {
  entryBytes: 64 * 1024 * 1024,
  totalBytes: 64 * 1024 * 1024,
  entries: 1024,
};
