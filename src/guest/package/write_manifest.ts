import { stringify } from "smol-toml";
import { toHex, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/crypto.ts";
import type { PackageLayout } from "./package_layout.ts";
import type { BinaryKind, ListedFile } from "./package_manifest.ts";
import type { PackageParts } from "./package_parts.ts";
import type { NamedFile } from "./zip/write_zip.ts";

/** The manifest of a package as it is signed (`spec/guest.md` §3): hashes and sizes are those of the parts, and of nothing else (§21 GD-20). */
export async function writeManifest(
  parts: PackageParts,
  layout: PackageLayout,
  keyId: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { manufacturer, name, version } = parts.type;
  const [lockFile] = await listAll(layout.lockFile);
  const resources = await listAll(layout.resources);
  const protos = await listAll(layout.protos);
  const document = {
    ...{ manufacturer, name, version, signature_algorithm: "ed25519", signing_key_id: keyId },
    binary: await binaryTable(parts, layout.binary),
    resources,
    proto_files: protos.map((each) => ({ name: baseName(each.path), ...each })),
    lock_file: lockFile,
    metadata: { description: parts.description, license: parts.license },
  };
  return utf8(stringify(document));
}

async function binaryTable(parts: PackageParts, file: NamedFile): Promise<object> {
  const { target, binary } = parts;
  const kind = parts.kind ?? kindOf(binary, target);
  return { ...(await list(file)), target, size: binary.length, kind };
}

async function listAll(files: readonly NamedFile[]): Promise<ListedFile[]> {
  return await Promise.all(files.map(list));
}

async function list([path, content]: NamedFile): Promise<ListedFile> {
  return { path, hash: toHex(await sha256(content)) };
}

/** How every component begins; core modules have another version. */
const componentHead = "0061736d0d000100";

/** Left open, nodes take WebAssembly for a core module, and refuse it. */
function kindOf(binary: Uint8Array, target: string): BinaryKind | undefined {
  const isComponent = toHex(binary.subarray(0, 8)) === componentHead;
  return isComponent && target.startsWith("wasm32-") ? "component" : undefined;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
