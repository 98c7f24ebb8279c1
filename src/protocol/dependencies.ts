import { ActrError } from "../errors.ts";
import { type ActrType, formatActrType } from "./ids.ts";

/** One service that a node was built against, as a `[[dependency]]` of `manifest.lock.toml` names it (`spec/protocol.md` §12.3). */
export interface Dependency {
  /** What it is called here; by default its type. */
  readonly name?: string;
  /** `manufacturer:name:version`. */
  readonly type: string;
  /** Fingerprint of the service's description, `service_semantic:` and 64 hexadecimal digits. */
  readonly fingerprint: string;
}

/**
 * The fingerprint that candidates of `type` should have (`spec/protocol.md` §8.4): of the dependency that is called like
 * the type, else of one that has it. Empty, which any description meets, where a node does not say what it depends on.
 * @throws ActrError `dependency_not_found` when it says so, and the type is none of that.
 */
export function fingerprintOf(
  dependencies: readonly Dependency[] | undefined,
  type: ActrType,
): string {
  if (dependencies === undefined) return "";
  const text = formatActrType(type);
  const found =
    dependencies.find(({ name }) => name === text) ??
    dependencies.find((dependency) => dependency.type === text);
  if (found !== undefined) return found.fingerprint;
  const reason = "the node does not depend on it; add it to its dependencies";
  throw new ActrError("dependency_not_found", reason, { details: { service: text } });
}
