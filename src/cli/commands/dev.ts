import { dirname } from "node:path";
import { findApp } from "../app_file.ts";
import type { Command, Input, World } from "../command.ts";
import { DevServer } from "../dev/dev_server.ts";
import { Watcher } from "../dev/watcher.ts";
import { loadSettings } from "../settings/load.ts";
import { settingOptions, webRtcSettingNames } from "../settings/settings.ts";
import { stopRequested } from "../stop_signals.ts";

/** What `dev` and the process that it starts take. */
export const devGrammar: Pick<Command, "arguments" | "options"> = {
  arguments: { usage: "[APP]", least: 0, most: 1 },
  options: settingOptions(
    "port",
    "host",
    "advertisedHost",
    "realm",
    "store",
    "storeSyncUrl",
    "storeTimeoutMs",
    "inspectToken",
    "actorToken",
    "durability",
    "log",
    ...webRtcSettingNames,
  ),
};

/** Everything on one port, restarted on change. */
export const devCommand: Command = {
  name: "dev",
  summary: "Serve an app with a rendezvous of its own, and restart it when it changes",
  ...devGrammar,
  example: "roost dev examples/echo",

  async run(input: Input, world: World): Promise<number> {
    const folder = dirname(findApp(input.positionals[0] ?? ".", world.cwd));
    loadSettings(input, world, folder);
    const stop = stopRequested();
    const watcher = await Watcher.open(folder);
    return new DevServer(input.raw, watcher, stop, world.err).run();
  },
};
