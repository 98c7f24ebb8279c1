import { basename, resolve } from "node:path";
import {
  compareServices,
  type FileComparison,
  isCompatible,
} from "../../protocol/fingerprint/compatibility.ts";
import { type DescribedFile, describedFile } from "../../protocol/fingerprint/described_file.ts";
import { fileFingerprint, serviceFingerprint } from "../../protocol/fingerprint/fingerprint.ts";
import { protoFileJson } from "../../protocol/fingerprint/proto_file.ts";
import type { Command, Input, World } from "../command.ts";
import { textOf } from "../deps/project.ts";
import { Misuse } from "../misuse.ts";

/** Most files of one service. */
const mostFiles = 1_000;

/** Tells what the description of a service means, and whether it still serves those who knew an older one. */
export const fingerprintCommand: Command = {
  name: "fingerprint",
  summary: "Tell the fingerprint of a service, and whether it is still compatible",
  arguments: { usage: "FILE.proto …", least: 1, most: mostFiles },
  options: {
    before: {
      value: "FILE",
      multiple: true,
      help: "a file as it was, to compare with; exits with 1 where its callers are not served any more",
    },
  },
  example: "roost fingerprint echo.proto --before released/echo.proto",

  async run(input: Input, world: World): Promise<number> {
    const files = await readAll(input.positionals, world);
    const before = await readAll(input.values("before"), world);
    const fingerprints = await Promise.all(
      files.map(async (file) => ({
        name: file.name,
        fingerprint: await fileFingerprint(file, files),
      })),
    );
    const service = await serviceFingerprint(fingerprints);
    const changes = before.length === 0 ? [] : await compareServices(before, files);
    if (input.has("json")) world.out(JSON.stringify({ service, files: fingerprints, changes }));
    else {
      for (const { name, fingerprint } of fingerprints) world.out(`${name}  ${fingerprint}`);
      world.out(service);
      for (const change of changes) show(change, world);
    }
    return isCompatible(changes) ? 0 : 1;
  },
};

async function readAll(paths: readonly string[], { cwd }: World): Promise<DescribedFile[]> {
  return await Promise.all(
    paths.map(async (path) => {
      const source = await textOf(resolve(cwd, path));
      if (source === undefined) throw new Misuse(`there is no file ${path}`);
      return describedFile(protoFileJson(basename(path), source));
    }),
  );
}

function show({ name, change, missing }: FileComparison, { out }: World): void {
  out(`${name}: ${change}`);
  for (const sentence of missing) out(`  ${sentence}`);
}
