import type { PackageManifest } from "../../guest/package/package_manifest.ts";
import { formatActrType } from "../../protocol/ids.ts";
import { oneLine } from "../failure.ts";

/** A package as commands show it: what its manifest says. */
export interface PackageSummary {
  readonly type: string;
  readonly target: string;
  readonly kind: string | null;
  /** Which key its manifest names. */
  readonly signingKeyId: string | null;
  readonly binaryHash: string;
  readonly binarySize: number | null;
  readonly resources: readonly string[];
  readonly protos: readonly string[];
  readonly lockFile: boolean;
  readonly description: string | null;
  readonly license: string | null;
}

/** The summary of a manifest. */
export function summaryOf(manifest: PackageManifest): PackageSummary {
  const { manufacturer, name, version, binary, metadata } = manifest;
  return {
    type: formatActrType({ manufacturer, name, version }),
    target: binary.target,
    kind: binary.kind ?? null,
    signingKeyId: manifest.signingKeyId ?? null,
    binaryHash: binary.hash,
    binarySize: binary.size ?? null,
    resources: manifest.resources.map(({ path }) => path),
    protos: manifest.protoFiles.map(({ name: proto }) => proto),
    lockFile: manifest.lockFile !== undefined,
    description: metadata.description ?? null,
    license: metadata.license ?? null,
  };
}

/** The lines of a summary, for people; texts of the package cannot steer a terminal. */
export function summaryLines(summary: PackageSummary): string[] {
  const { type, target, kind, signingKeyId, binaryHash, binarySize } = summary;
  const size = binarySize === null ? "" : `, ${binarySize} bytes`;
  const rows: readonly (readonly [string, string | null])[] = [
    ["type", type],
    ["target", kind === null ? target : `${target}, ${kind}`],
    ["signed by", signingKeyId ?? "a key without a name"],
    ["binary", `${binaryHash}${size}`],
    ["resources", summary.resources.join(", ")],
    ["protos", summary.protos.join(", ")],
    ["lock file", summary.lockFile ? "yes" : ""],
    ["about", summary.description],
    ["license", summary.license],
  ];
  return rows.flatMap(([name, text]) =>
    text === null || text === "" ? [] : [`  ${name.padEnd(9)}  ${oneLine(text)}`],
  );
}
