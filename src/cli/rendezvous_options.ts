import { readFileSync } from "node:fs";
import type { ClusterOptions } from "../rendezvous/cluster/options.ts";
import { type RendezvousOptions, resolveRendezvousOptions } from "../rendezvous/options.ts";
import type { Input } from "./command.ts";
import { Misuse } from "./misuse.ts";
import { manufacturersOf, realmsOf } from "./rendezvous_flags.ts";
import { tuningOptions } from "./settings/rendezvous_tuning.ts";
import type { Settings } from "./settings/settings.ts";

/** Options of a rendezvous as flags and settings say; realms and manufacturers of flags stand in place of those of a file. @throws Misuse. */
export function rendezvousOptions(
  input: Pick<Input, "values">,
  settings: Settings,
): RendezvousOptions {
  const { turnSecret, withoutRules, addressHeader, adminTokenFile } = settings;
  const { stunUrls = [], turnUrls = [] } = settings;
  const cluster = clusterOptions(settings);
  return checked({
    ...tuningOptions(settings),
    realms: realmsOf(given(input.values("realm"), settings.realms)),
    manufacturers: manufacturersOf(given(input.values("manufacturer"), settings.manufacturers)),
    iceUrls: [...stunUrls, ...turnUrls],
    ...(turnSecret === undefined ? {} : { turnSecret }),
    ...(withoutRules === undefined ? {} : { withoutRules }),
    ...(addressHeader === undefined ? {} : { addressHeader }),
    ...(adminTokenFile === undefined ? {} : { adminToken: tokenIn(adminTokenFile) }),
    ...(cluster === undefined ? {} : { cluster }),
  });
}

/** The options, each of which can be meant: whether they can be together. */
function checked(options: RendezvousOptions): RendezvousOptions {
  try {
    resolveRendezvousOptions(options);
    return options;
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

function given(flags: readonly string[], file: readonly string[] = []): readonly string[] {
  return flags.length > 0 ? flags : file;
}

/** Who names an address for the others is one of them. */
function clusterOptions({ cluster, peerUrl, leaseMs }: Settings): ClusterOptions | undefined {
  if (cluster !== true && peerUrl === undefined) {
    if (leaseMs === undefined) return undefined;
    throw new Misuse("--lease is for a cluster alone; add --cluster or --peer-url");
  }
  return {
    ...(peerUrl === undefined ? {} : { peerUrl }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  };
}

/** The token in a file, which nobody else should be able to read. */
function tokenIn(file: string): string {
  const token = textOf(file).trim();
  if (/^\S{16,1000}$/.test(token)) return token;
  throw new Misuse(
    `--admin-token-file is ${file}; it must hold one token of 16 characters or more, without spaces`,
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new Misuse(`--admin-token-file is ${file}, which cannot be read: ${code}`);
  }
}
