import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { toHex } from "../bytes.ts";
import { sha256 } from "../crypto.ts";
import { canonicalFile } from "./canonical_file.ts";
import { byName } from "./canonical_json.ts";
import { withoutOwnOptions } from "./own_options.ts";
import { requireSelfContained } from "./self_contained.ts";

const filePrefix = "semantic:";
const servicePrefix = "service_semantic:";

/** A `.proto` file of a service, and what it means. */
export interface FingerprintedFile {
  /** As the manifest names it, without folders: `echo.proto`. */
  readonly name: string;
  /** `semantic:` and 64 hexadecimal digits. */
  readonly fingerprint: string;
}

/**
 * What a file means, whatever it looks like: `semantic:` and 64 hexadecimal digits (`spec/protocol.md` §10.2). By which
 * lanes its methods travel is no part of that.
 * @param together all files of its service: types of these may be used.
 * @throws ActrError `invalid_argument` for a file that means nothing without others.
 */
export async function fileFingerprint(
  file: FileDescriptorProto,
  together: readonly FileDescriptorProto[] = [],
): Promise<string> {
  const meant = withoutOwnOptions(file);
  requireSelfContained(meant, together);
  return filePrefix + (await hashOf(canonicalFile(meant)));
}

/** What the files of a service mean together: `service_semantic:` and 64 hexadecimal digits (`spec/protocol.md` §10.3). @throws RangeError without a file. */
export async function serviceFingerprint(files: readonly FingerprintedFile[]): Promise<string> {
  if (files.length === 0) throw new RangeError("a service without files has no fingerprint");
  const lines = [...files]
    .sort(byName)
    .map(({ name, fingerprint }) => `${name}:${fingerprint.replace(filePrefix, "")}`);
  return servicePrefix + (await hashOf(lines.join("\n")));
}

async function hashOf(text: string): Promise<string> {
  return toHex(await sha256(new TextEncoder().encode(text)));
}
