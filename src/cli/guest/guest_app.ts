import { relative } from "node:path";
import { defineNode, type NodeDefinition } from "../../define.ts";
import type { VerifiedPackage } from "../../guest/package/verified_package.ts";
import type { GuestDefinition } from "../../guest.ts";
import type { World } from "../command.ts";
import type { Settings } from "../settings/settings.ts";
import { readSigningKey } from "./key_files.ts";
import { readPackageFile } from "./package_file.ts";
import { openTrust } from "./trust.ts";

const mebibyte = 1024 * 1024;

/** An app whose workload is the package in a file, as settings say it. @throws Misuse, ActrError `config` for one that is not trusted. */
export async function guestApp(
  file: string,
  settings: Settings,
  world: World,
  app: NodeDefinition = defineNode({}),
): Promise<NodeDefinition> {
  const verified = await verifiedFile(file, settings, world);
  const guest: GuestDefinition = {
    package: verified,
    ...(settings.guestIsolation && { isolation: settings.guestIsolation }),
    limits: limitsOf(settings),
    ...(await proofOf(settings)),
  };
  return { ...app, guest: { ...app.guest, ...guest } };
}

async function verifiedFile(
  file: string,
  settings: Settings,
  world: World,
): Promise<VerifiedPackage> {
  const trust = await openTrust(settings);
  const bytes = await readPackageFile(world, relative(world.cwd, file));
  return await trust.verify(bytes, {});
}

function limitsOf({ guestMemoryMiB, guestTimeoutMs, guestFuel }: Settings) {
  return {
    ...(guestMemoryMiB !== undefined && { memoryBytes: guestMemoryMiB * mebibyte }),
    ...(guestTimeoutMs !== undefined && { entryTimeoutMs: guestTimeoutMs }),
    ...(guestFuel !== undefined && { fuel: guestFuel }),
  };
}

async function proofOf({ manufacturerKeyFile }: Settings): Promise<Pick<GuestDefinition, "proof">> {
  if (manufacturerKeyFile === undefined) return {};
  return { proof: await readSigningKey(manufacturerKeyFile) };
}
