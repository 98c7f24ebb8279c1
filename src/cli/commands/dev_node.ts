import { dirname } from "node:path";
import process from "node:process";
import { printAddresses } from "../addresses.ts";
import { findApp } from "../app_file.ts";
import type { Command, Input, World } from "../command.ts";
import { developerToken } from "../dev/inspect_token.ts";
import type { FromNode, ToNode } from "../dev/messages.ts";
import { commandLog, configuredApp, serveApp, serveOptions } from "../serve_app.ts";
import { loadSettings } from "../settings/load.ts";
import { stopRequested } from "../stop_signals.ts";
import { devGrammar } from "./dev.ts";

/** The process in which `roost dev` lets a node serve: it loads the app, waits for its turn and serves. */
export const devNodeCommand: Command = {
  name: "dev-node",
  summary: "Serve one version of an app for roost dev",
  hidden: true,
  ...devGrammar,
  example: "roost dev examples/echo",

  async run(input: Input, world: World): Promise<number> {
    const stop = Promise.race([stopRequested(), told("stop"), abandoned()]);
    const turn = told("serve").then(() => true);
    const file = findApp(input.positionals[0] ?? ".", world.cwd);
    const { settings } = loadSettings(input, world, dirname(file));
    // Whatever rendezvous is configured, this one is embedded; and only this machine is to reach it, unless said otherwise.
    const { identity: _identity, signaling: _signaling, ...own } = settings;
    const app = await configuredApp(file, own);
    tell("loaded");
    if (!(await Promise.race([turn, stop.then(() => false)]))) return 0;
    const log = await commandLog(input, own);
    const made = developerToken(own, world);
    const inspectToken = made === undefined ? {} : { inspectToken: made };
    const options = serveOptions(file, { host: "127.0.0.1", ...own, ...inspectToken }, log);
    await using served = await serveApp(app, options);
    const json = input.has("json");
    const inspects = options.inspectToken !== undefined;
    const shown = { store: String(options.store), json, inspects, ...inspectToken };
    printAddresses(served, shown, world);
    tell("ready");
    return await Promise.race([stop.then(() => 0), served.stopped.then(() => 1)]);
  },
};

function tell(message: FromNode): void {
  process.send?.(message);
}

function told(message: ToNode): Promise<void> {
  return new Promise((resolve) => {
    process.on("message", (given) => {
      if (given === message) resolve();
    });
  });
}

/**
 * Resolves when the watching process is gone. Its end of the standard input closes with it, however it ends; Deno tells
 * of a lost channel only where nothing was left unread in it.
 */
function abandoned(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("close", () => resolve());
    process.stdin.once("end", () => resolve());
    process.stdin.resume();
    process.once("disconnect", () => resolve());
  });
}
