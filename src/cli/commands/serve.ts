import { dirname, resolve } from "node:path";
import type { NodeDefinition } from "../../define.ts";
import { printAddresses } from "../addresses.ts";
import { findApp } from "../app_file.ts";
import type { Command, Input, World } from "../command.ts";
import { guestApp } from "../guest/guest_app.ts";
import { Misuse } from "../misuse.ts";
import { commandLog, configuredApp, configuredNode, serveApp, serveOptions } from "../serve_app.ts";
import { guestSettingNames } from "../settings/guest.ts";
import { type LoadedSettings, loadSettings } from "../settings/load.ts";
import { type Settings, settingOptions, webRtcSettingNames } from "../settings/settings.ts";
import { stopRequested } from "../stop_signals.ts";

/** A node from its configuration, in the foreground. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Serve an app, or a package, as actr.toml, the environment and flags say; later wins",
  arguments: { usage: "[APP]", least: 0, most: 1 },
  options: {
    ...settingOptions(
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
      "trustKeys",
      "trustRegistry",
      ...guestSettingNames,
      ...webRtcSettingNames,
    ),
    identity: {
      value: "URL",
      help: "identity service of the rendezvous (default: a rendezvous of the node's own)",
    },
  },
  example: "roost serve app.ts --identity http://127.0.0.1:8080/ais --port 8081",

  async run(input: Input, world: World): Promise<number> {
    const [named] = input.positionals;
    const app = named === undefined ? undefined : findApp(named, world.cwd);
    const loaded = loadSettings(input, world, folderOf(app, input, world));
    const { settings } = loaded;
    refuseHalf(loaded);
    const file = app ?? packageOf(settings);
    const log = await commandLog(input, settings);
    if (loaded.unused.length > 0) {
      log.info("config.without_effect", { file: loaded.file, keys: loaded.unused.join(" ") });
    }
    const stop = stopRequested();
    const options = serveOptions(file, settings, log);
    await using served = await serveApp(await definitionOf(app, settings, world), options);
    const json = input.has("json");
    const inspects = options.inspectToken !== undefined;
    printAddresses(served, { store: String(options.store), json, inspects }, world);
    return await Promise.race([stop.then(() => 0), served.stopped.then(() => 1)]);
  },
};

/** Where the configuration is looked for: beside what is served. */
function folderOf(app: string | undefined, input: Input, { cwd }: World): string {
  const file = app ?? input.value("package");
  return file === undefined ? cwd : dirname(resolve(cwd, file));
}

/** The package that is served where no app is named. @throws Misuse where there is none either. */
function packageOf({ package: named, packagePath }: Settings): string {
  const path = named ?? packagePath;
  if (path !== undefined) return path;
  throw new Misuse("name an app, such as app.ts, or a package: --package FILE.actr");
}

/** What is served: an app, a package, or an app whose workload is a package. */
async function definitionOf(
  app: string | undefined,
  settings: Settings,
  world: World,
): Promise<NodeDefinition> {
  if (app === undefined) {
    return configuredNode(await guestApp(packageOf(settings), settings, world), settings);
  }
  const definition = await configuredApp(app, settings);
  const path = settings.package;
  return path === undefined ? definition : await guestApp(path, settings, world, definition);
}

/** A signaling socket alone would leave the node without an identity of that rendezvous. */
function refuseHalf({ settings: { identity, signaling } }: LoadedSettings): void {
  if (signaling === undefined || identity !== undefined) return;
  throw new Misuse(
    `signaling is ${signaling}, but no identity service is named; add ais_endpoint.url or --identity`,
  );
}
