import type { Command, Input, World } from "../command.ts";
import { readPackageFile } from "../guest/package_file.ts";
import { summaryLines, summaryOf } from "../guest/package_summary.ts";
import { requireSigner } from "../guest/signer.ts";
import { openTrust } from "../guest/trust.ts";
import { loadSettings } from "../settings/load.ts";
import { settingOptions } from "../settings/settings.ts";

/** Tells whether a package is whole, and signed by who is trusted. */
export const verifyCommand: Command = {
  name: "verify",
  summary: "Tell whether a package is whole and signed by who is trusted",
  arguments: { usage: "FILE.actr", least: 1, most: 1 },
  options: settingOptions("trustKeys", "trustRegistry"),
  example: "roost verify dist/acme-Echo-1.0.0-wasm32-wasip2.actr --trust-key acme.pub.json",

  async run(input: Input, world: World): Promise<number> {
    const [name = ""] = input.positionals;
    const { settings } = loadSettings(input, world, world.cwd);
    const trust = await openTrust(settings);
    const { manifest, keyId } = await trust.verify(await readPackageFile(world, name), {});
    requireSigner(manifest, name);
    const summary = summaryOf(manifest);
    if (input.has("json")) {
      world.out(JSON.stringify({ verified: true, keyId, ...summary }));
      return 0;
    }
    world.out(`${name} is whole, and signed with ${keyId}`);
    for (const line of summaryLines(summary)) world.out(line);
    return 0;
  },
};
