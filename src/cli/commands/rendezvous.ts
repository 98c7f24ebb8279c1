import { join } from "node:path";
import { runningModule } from "../../../adapters/running.ts";
import type { Command, Input, World } from "../command.ts";
import { rendezvousOptions } from "../rendezvous_options.ts";
import { commandLog } from "../serve_app.ts";
import { loadSettings } from "../settings/load.ts";
import { port as parsePort } from "../settings/parsers.ts";
import { rendezvousTuningFlags } from "../settings/rendezvous_tuning.ts";
import { settingOptions, storeSettings } from "../settings/settings.ts";
import { fileUrl, shownStore } from "../settings/store_address.ts";
import { stopRequested } from "../stop_signals.ts";

/** The identity and signaling server alone. */
export const rendezvousCommand: Command = {
  name: "rendezvous",
  summary: "Serve identity, signaling and discovery alone, for nodes elsewhere",
  arguments: { usage: "", least: 0, most: 0 },
  options: {
    ...settingOptions(
      "port",
      "host",
      "stunUrls",
      "turnUrls",
      "turnSecret",
      "withoutRules",
      "addressHeader",
      "adminTokenFile",
      "cluster",
      "peerUrl",
      "leaseMs",
      ...rendezvousTuningFlags,
      "store",
      "storeSyncUrl",
      "storeTimeoutMs",
      "durability",
      "log",
    ),
    store: {
      value: "URL",
      help: "path of a file (default .roost/rendezvous.db), :memory: or the address of a libSQL server",
    },
    realm: {
      value: "ID[:SECRET]",
      multiple: true,
      help: "a realm that nodes may join; may be repeated, also with the secret before (default: every realm is open)",
    },
    manufacturer: {
      value: "NAME:KEY",
      multiple: true,
      help: "who may sign packages, with its public key (Ed25519, base64); may be repeated",
    },
    "stun-port": {
      value: "PORT",
      help: "answers STUN at this UDP port; tell nodes of it with --stun stun:HOST:PORT (default: none)",
    },
  },
  example: "roost rendezvous --port 8080 --realm 1001:s3cret",

  async run(input: Input, world: World): Promise<number> {
    const { settings, file, unused } = loadSettings(withoutRealm(input), world, world.cwd);
    const { host, port, store = fileUrl(join(world.cwd, ".roost", "rendezvous.db")) } = settings;
    const options = rendezvousOptions(input, settings);
    const stunPort = input.value("stun-port");
    const log = await commandLog(input, settings);
    if (unused.length > 0) log.info("config.without_effect", { file, keys: unused.join(" ") });
    const stop = stopRequested();
    const { rendezvous } = await runningModule();
    await using served = await rendezvous({
      ...(port === undefined ? {} : { port }),
      ...(host === undefined ? {} : { hostname: host }),
      ...storeSettings(settings),
      ...options,
      ...(stunPort === undefined
        ? {}
        : { stunPort: parsePort(stunPort, { name: "--stun-port", folder: "" }) }),
      store,
      log,
    });
    const { url, identity } = served;
    const stun = served.stunPort === undefined ? undefined : `port ${served.stunPort}/udp`;
    const signaling = `${url.replace("http", "ws")}/signaling/ws`;
    const shown = shownStore(store);
    if (input.has("json")) {
      world.out(
        JSON.stringify({
          rendezvous: identity,
          signaling,
          health: `${url}/health`,
          store: shown,
          ...(stun && { stun }),
        }),
      );
    } else {
      world.out(`  rendezvous  ${identity}`);
      world.out(`  signaling   ${signaling}`);
      world.out(`  health      ${url}/health`);
      world.out(`  store       ${shown}`);
      if (stun !== undefined) world.out(`  stun        ${stun}`);
    }
    await stop;
    return 0;
  },
};

/** `--realm` means something else here than where nodes register. */
function withoutRealm(input: Input): Input {
  return { ...input, value: (name) => (name === "realm" ? undefined : input.value(name)) };
}
