import { join, resolve } from "node:path";
import { packPackage } from "../../guest/package/pack.ts";
import { peekManifest } from "../../guest/package/peek.ts";
import type { Command, Input, World } from "../command.ts";
import { gatherParts, partOptions } from "../guest/gathered_parts.ts";
import { packageStem, writeWhole } from "../guest/output_files.ts";
import { summaryLines, summaryOf } from "../guest/package_summary.ts";
import { signerOf } from "../guest/signer.ts";
import { loadSettings } from "../settings/load.ts";
import { settingOptions } from "../settings/settings.ts";

/** Makes a signed package of a component or script. */
export const packCommand: Command = {
  name: "pack",
  summary: "Make a signed package of a WebAssembly component or a script",
  arguments: { usage: "[FOLDER]", least: 0, most: 1 },
  options: {
    out: { value: "FILE", help: "what to write (default FOLDER/dist/M-NAME-VERSION-TARGET.actr)" },
    ...partOptions,
    ...settingOptions("signingKeyFile"),
  },
  example: "roost pack --type acme:Echo:1.0.0 --binary echo.wasm --key acme.key.json",

  async run(input: Input, world: World): Promise<number> {
    const { settings } = loadSettings(input, world, world.cwd);
    const parts = await gatherParts(input, world);
    const bytes = await packPackage(parts, await signerOf(settings, world));
    const usual = join(parts.folder, "dist", `${packageStem(parts.type, parts.target)}.actr`);
    const file = resolve(world.cwd, input.value("out") ?? usual);
    await writeWhole(file, bytes);
    const summary = summaryOf(await peekManifest(bytes));
    if (input.has("json")) {
      world.out(JSON.stringify({ file, size: bytes.length, ...summary }));
      return 0;
    }
    world.out(`${file}  ${bytes.length} bytes`);
    for (const line of summaryLines(summary)) world.out(line);
    return 0;
  },
};
