import { systemClock } from "../../../adapters/system_clock.ts";
import { staticTrust } from "../../guest/trust/static_trust.ts";
import { defaultIdentity } from "../client.ts";
import type { Command, Input, World } from "../command.ts";
import { millisecondsOf } from "../counts.ts";
import { readPackageFile } from "../guest/package_file.ts";
import { publishPackage } from "../guest/registry_client.ts";
import { requireSigner, signerOf } from "../guest/signer.ts";
import { loadSettings } from "../settings/load.ts";
import { settingOptions } from "../settings/settings.ts";

/** Publishes a package, so that its nodes register without its maker. */
export const publishCommand: Command = {
  name: "publish",
  summary: "Publish a package at a rendezvous: from then on its nodes register without its maker",
  arguments: { usage: "FILE.actr", least: 1, most: 1 },
  options: {
    timeout: { value: "MS", help: "deadline over everything, milliseconds (default 30000)" },
    ...settingOptions("signingKeyFile", "identity"),
  },
  example:
    "roost publish dist/acme-Echo-1.0.0-wasm32-wasip2.actr --identity http://127.0.0.1:8080/ais",

  async run(input: Input, world: World): Promise<number> {
    const [name = ""] = input.positionals;
    const timeoutMs = millisecondsOf(input, "timeout", 30_000);
    const { settings } = loadSettings(input, world, world.cwd);
    const { identity = defaultIdentity } = settings;
    const key = await signerOf(settings, world);
    const bytes = await readPackageFile(world, name);
    // What the server would refuse in few words is refused here in many.
    const verified = await staticTrust(key.publicKey).verify(bytes, {});
    requireSigner(verified.manifest, name);
    const components = { fetch: globalThis.fetch, clock: systemClock() };
    const task = { endpoint: identity, verified, key, timeoutMs };
    const published = await publishPackage(components, task);
    const { type, target, status } = published;
    world.out(input.has("json") ? JSON.stringify(published) : `${type}  ${target}  ${status}`);
    return 0;
  },
};
