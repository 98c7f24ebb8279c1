import { ActrError } from "../../errors.ts";
import { readPackageDocument } from "../../protocol/manifest/package_document.ts";
import { TomlTable } from "../../protocol/manifest/toml_table.ts";
import { packageEntries } from "./open_package.ts";
import { packageError } from "./package_error.ts";
import {
  type BinaryKind,
  binaryKinds,
  type ListedBinary,
  type ListedFile,
  type ListedProto,
  type PackageManifest,
} from "./package_manifest.ts";

/** A manifest of a package (`spec/guest.md` §3). @throws ActrError with details `package: "manifest_parse_error"`, and `field` where one is wrong. */
export function parsePackageManifest(bytes: Uint8Array): PackageManifest {
  const file = packageEntries.manifest;
  try {
    return manifestIn(new TomlTable(readPackageDocument(bytes), file));
  } catch (cause) {
    const { message, details } = ActrError.from(cause);
    const field = details?.["key"];
    const where = typeof field === "string" ? { path: file, field } : { path: file };
    throw packageError("manifest_parse_error", message, { ...where, cause });
  }
}

function manifestIn(root: TomlTable): PackageManifest {
  const signingKeyId = root.text("signing_key_id");
  const lockFile = root.table("lock_file");
  return {
    manufacturer: root.requiredText("manufacturer"),
    name: root.requiredText("name"),
    version: root.requiredText("version"),
    binary: binaryIn(root.requiredTable("binary")),
    signatureAlgorithm: algorithmIn(root),
    ...(signingKeyId !== undefined && { signingKeyId }),
    resources: root.tables("resources").map(fileIn),
    protoFiles: protosIn(root),
    ...(lockFile !== undefined && { lockFile: fileIn(lockFile) }),
    metadata: metadataIn(root),
  };
}

function algorithmIn(root: TomlTable): "ed25519" {
  const algorithm = root.text("signature_algorithm") ?? "ed25519";
  if (algorithm === "ed25519") return algorithm;
  throw root.wrong("signature_algorithm", "only ed25519 is known");
}

function binaryIn(table: TomlTable): ListedBinary {
  const size = table.integer("size", 0, Number.MAX_SAFE_INTEGER);
  const kind = kindIn(table);
  return {
    ...fileIn(table),
    target: table.requiredText("target"),
    ...(size !== undefined && { size }),
    ...(kind !== undefined && { kind }),
  };
}

function kindIn(table: TomlTable): BinaryKind | undefined {
  const text = table.text("kind");
  const kind = binaryKinds.find((each) => each === text);
  if (kind === undefined && text !== undefined) {
    throw table.wrong("kind", `it must be one of ${binaryKinds.join(", ")}`);
  }
  return kind;
}

function fileIn(table: TomlTable): ListedFile {
  const hash = table.requiredText("hash").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hash)) return { path: table.requiredText("path"), hash };
  throw table.wrong("hash", "it must be a SHA-256: 64 hexadecimal digits");
}

/** Their names are how they are asked for: two of one name would be one. */
function protosIn(root: TomlTable): readonly ListedProto[] {
  const names = new Set<string>();
  return root.tables("proto_files").map((table) => {
    const name = table.requiredText("name");
    if (names.has(name)) throw table.wrong("name", "another proto file has it already");
    names.add(name);
    return { name, ...fileIn(table) };
  });
}

function metadataIn(root: TomlTable): PackageManifest["metadata"] {
  const table = root.table("metadata");
  const description = table?.text("description");
  const license = table?.text("license");
  return {
    ...(description !== undefined && { description }),
    ...(license !== undefined && { license }),
  };
}
