import type { Peer } from "../../../adapters/serve/options.ts";
import { ActrError } from "../../errors.ts";
import { serviceFingerprint } from "../../protocol/fingerprint/fingerprint.ts";
import { formatActrType } from "../../protocol/ids.ts";
import type { ManifestDependency } from "../../protocol/manifest/manifest.ts";
import type { DiscoveredType, ServiceDescription } from "../../signaling/answers.ts";
import { type MeantFile, meantFiles, type SourceFile } from "./kept_files.ts";

/** More types than a manufacturer has. */
const mostTypes = 10_000;

/** A service as nodes announce it. */
export interface AnnouncedService {
  readonly fingerprint: string;
  readonly description: ServiceDescription | undefined;
  /** Files that mean what is announced; none where they do not, or cannot be had. */
  readonly sources: readonly SourceFile[];
  readonly files: readonly MeantFile[];
}

/**
 * What the nodes of a dependency's type announce now; undefined where there are none.
 * @throws ActrError `unavailable`, `timed_out`, `permission_denied`.
 */
export async function announcedService(
  peer: Pick<Peer, "types" | "description">,
  { type, service }: Pick<ManifestDependency, "type" | "service">,
  signal: AbortSignal,
): Promise<AnnouncedService | undefined> {
  if (type === undefined) return undefined;
  const { manufacturer } = type;
  const types = await peer.types({ manufacturer, limit: mostTypes, signal });
  const listed = types.find((each) => formatActrType(each.type) === formatActrType(type));
  if (listed === undefined) return undefined;
  const description = await describing(peer, service?.name ?? type.name, listed, signal);
  const { fingerprint } = listed;
  const files = description === undefined ? [] : await believed(description);
  const sources = files.length === 0 ? [] : (description?.files ?? []);
  return { fingerprint, description, sources, files };
}

/** The description that belongs to a listed type: names are asked for without a version, so that another's may come. */
async function describing(
  peer: Pick<Peer, "description">,
  name: string,
  { fingerprint }: DiscoveredType,
  signal: AbortSignal,
): Promise<ServiceDescription | undefined> {
  try {
    const description = await peer.description(name, { signal });
    return description.fingerprint === fingerprint ? description : undefined;
  } catch (error) {
    if (ActrError.from(error).code === "not_found") return undefined;
    throw error;
  }
}

/** The files of a description, if they mean what it says that they mean: whoever registers says what they like. */
async function believed({ files, fingerprint }: ServiceDescription): Promise<MeantFile[]> {
  try {
    const meant = await meantFiles(files);
    return meant.length > 0 && (await serviceFingerprint(meant)) === fingerprint ? meant : [];
  } catch {
    return [];
  }
}
