import { join, resolve } from "node:path";
import { ActrError } from "../../errors.ts";
import { signManifest } from "../../guest/package/pack.ts";
import { parsePackageManifest } from "../../guest/package/parse_manifest.ts";
import { parseToml } from "../../protocol/manifest/toml_table.ts";
import type { Command, Input, World } from "../command.ts";
import { textOf } from "../deps/project.ts";
import { gatherParts, partOptions } from "../guest/gathered_parts.ts";
import { packageStem, writeWhole } from "../guest/output_files.ts";
import { summaryLines, summaryOf } from "../guest/package_summary.ts";
import { signerOf } from "../guest/signer.ts";
import { loadSettings } from "../settings/load.ts";
import { settingOptions } from "../settings/settings.ts";

/** Writes the signed manifest of a package, without the package. */
export const signCommand: Command = {
  name: "sign",
  summary: "Write the signed manifest of a package alone: manifest.toml and manifest.sig",
  arguments: { usage: "[FOLDER]", least: 0, most: 1 },
  options: {
    out: { value: "FOLDER", help: "where to (default FOLDER/dist/M-NAME-VERSION-TARGET)" },
    ...partOptions,
    ...settingOptions("signingKeyFile"),
  },
  example: "roost sign --binary echo.wasm --type acme:Echo:1.0.0 --key acme.key.json",

  async run(input: Input, world: World): Promise<number> {
    const { settings } = loadSettings(input, world, world.cwd);
    const parts = await gatherParts(input, world);
    const usual = join(parts.folder, "dist", packageStem(parts.type, parts.target));
    const folder = resolve(world.cwd, input.value("out") ?? usual);
    const [file, signatureFile] = [join(folder, "manifest.toml"), join(folder, "manifest.sig")];
    await refuseSource(file);
    const { manifest, signature } = await signManifest(parts, await signerOf(settings, world));
    await writeWhole(file, manifest);
    await writeWhole(signatureFile, signature);
    const summary = summaryOf(parsePackageManifest(manifest));
    if (input.has("json")) {
      world.out(JSON.stringify({ manifest: file, signature: signatureFile, ...summary }));
      return 0;
    }
    for (const written of [file, signatureFile]) world.out(written);
    for (const line of summaryLines(summary)) world.out(line);
    return 0;
  },
};

/** What a project says of itself has a table that no signed manifest has. @throws ActrError `invalid_argument` rather than to lose it. */
async function refuseSource(file: string): Promise<void> {
  const text = await textOf(file);
  if (text === undefined || parseToml(text, file)["package"] === undefined) return;
  const message = `${file} is the manifest of a project, which is kept; name another folder: --out`;
  throw new ActrError("invalid_argument", message);
}
