/** What the binary of a package is, where its manifest says so (`spec/guest.md` §3). */
export const binaryKinds = ["core-module", "component", "native-cdylib"] as const;

/** One of {@link binaryKinds}. */
export type BinaryKind = (typeof binaryKinds)[number];

/** A file of a package, as its manifest lists it. */
export interface ListedFile {
  /** Name of the entry in the archive. */
  readonly path: string;
  /** SHA-256 of its bytes, 64 lower-case hexadecimal digits. */
  readonly hash: string;
}

/** A listed proto file. */
export interface ListedProto extends ListedFile {
  /** Base name, such as `echo.proto`. */
  readonly name: string;
}

/** The listed binary. */
export interface ListedBinary extends ListedFile {
  /** What it was built for, such as `wasm32-wasip2`. */
  readonly target: string;
  /** Bytes. */
  readonly size?: number;
  readonly kind?: BinaryKind;
}

/** What the `manifest.toml` of a package says, by the fields of `spec/guest.md` §3. */
export interface PackageManifest {
  readonly manufacturer: string;
  readonly name: string;
  readonly version: string;
  readonly binary: ListedBinary;
  readonly signatureAlgorithm: "ed25519";
  /** `mfr-` and 16 hexadecimal digits. */
  readonly signingKeyId?: string;
  readonly resources: readonly ListedFile[];
  readonly protoFiles: readonly ListedProto[];
  readonly lockFile?: ListedFile;
  readonly metadata: { readonly description?: string; readonly license?: string };
}
