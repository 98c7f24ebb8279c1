import { dirname } from "node:path";
import { printAddresses } from "../addresses.ts";
import { findApp } from "../app_file.ts";
import type { Command, Input, World } from "../command.ts";
import { Misuse } from "../misuse.ts";
import { commandLog, configuredApp, serveApp, serveOptions } from "../serve_app.ts";
import { type LoadedSettings, loadSettings } from "../settings/load.ts";
import { settingOptions, webRtcSettingNames } from "../settings/settings.ts";
import { stopRequested } from "../stop_signals.ts";

/** A node from its configuration, in the foreground. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Serve an app as actr.toml, the environment and flags say; later wins",
  arguments: { usage: "APP", least: 1, most: 1 },
  options: settingOptions(
    "port",
    "host",
    "advertisedHost",
    "identity",
    "signaling",
    "realm",
    "realmSecret",
    "store",
    "storeSyncUrl",
    "storeTimeoutMs",
    "inspectToken",
    "actorToken",
    "actorStore",
    "durability",
    "log",
    ...webRtcSettingNames,
  ),
  example: "roost serve app.ts --identity http://127.0.0.1:8080/ais --port 8081",

  async run(input: Input, world: World): Promise<number> {
    const file = findApp(input.positionals[0] ?? ".", world.cwd);
    const loaded = loadSettings(input, world, dirname(file));
    const { settings } = loaded;
    refuseHalf(loaded);
    const log = await commandLog(input, settings);
    if (loaded.unused.length > 0) {
      log.info("config.without_effect", { file: loaded.file, keys: loaded.unused.join(" ") });
    }
    const stop = stopRequested();
    const options = serveOptions(file, settings, log);
    await using served = await serveApp(await configuredApp(file, settings), options);
    const json = input.has("json");
    const inspects = options.inspectToken !== undefined;
    printAddresses(served, { store: String(options.store), json, inspects }, world);
    return await Promise.race([stop.then(() => 0), served.stopped.then(() => 1)]);
  },
};

/** A signaling socket alone would leave the node without an identity of that rendezvous. */
function refuseHalf({ settings: { identity, signaling } }: LoadedSettings): void {
  if (signaling === undefined || identity !== undefined) return;
  throw new Misuse(
    `signaling is ${signaling}, but no identity service is named; add ais_endpoint.url or --identity`,
  );
}
