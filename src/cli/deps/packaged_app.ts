import type { NodeDefinition } from "../../define.ts";
import { formatActrType } from "../../protocol/ids.ts";
import { parseLock } from "../../protocol/manifest/lock.ts";
import type { Manifest } from "../../protocol/manifest/manifest.ts";
import { findProject, lockTextOf } from "./project.ts";

/**
 * An app with what the manifest and the lock beside it say, where it does not say so itself: what it is, what it tells of
 * its services, what it was built against. @throws ActrError `config`, `storage`.
 */
export async function packagedApp(app: NodeDefinition, folder: string): Promise<NodeDefinition> {
  const project = await findProject(folder);
  if (project === undefined) return app;
  const lock = await lockTextOf(project);
  const { type } = project.manifest;
  return {
    ...(type.version === "" ? {} : { type: formatActrType(type) }),
    spec: specOf(project.manifest),
    ...(lock === "" ? {} : { dependencies: parseLock(lock).dependencies }),
    ...app,
  };
}

function specOf({ type, description, tags }: Manifest): Exclude<NodeDefinition["spec"], undefined> {
  return { name: type.name, ...(description === undefined ? {} : { description }), tags };
}
