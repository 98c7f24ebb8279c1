import { openPackage } from "../../guest/package/open_package.ts";
import { parsePackageManifest } from "../../guest/package/parse_manifest.ts";
import type { Command, Input, World } from "../command.ts";
import { oneLine } from "../failure.ts";
import { readPackageFile } from "../guest/package_file.ts";
import { summaryLines, summaryOf } from "../guest/package_summary.ts";

/** Shows what a package says of itself. */
export const inspectPackageCommand: Command = {
  name: "inspect",
  summary: "Show what is in a package; nothing of it is proven",
  arguments: { usage: "FILE.actr", least: 1, most: 1 },
  options: {},
  example: "roost inspect dist/acme-Echo-1.0.0-wasm32-wasip2.actr",

  async run(input: Input, world: World): Promise<number> {
    const [name = ""] = input.positionals;
    const { manifestBytes, files } = await openPackage(await readPackageFile(world, name));
    const summary = summaryOf(parsePackageManifest(manifestBytes));
    const entries = [...files.values()].map((each) => ({ name: each.name, size: each.size }));
    if (input.has("json")) {
      world.out(JSON.stringify({ verified: false, ...summary, entries }));
      return 0;
    }
    world.out(`${name} says of itself, unproven (roost verify):`);
    for (const line of summaryLines(summary)) world.out(line);
    for (const { name: entry, size } of entries) world.out(`  ${oneLine(entry)}  ${size} bytes`);
    return 0;
  },
};
