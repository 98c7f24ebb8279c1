import type { Command, Input, World } from "../command.ts";
import { Misuse } from "../misuse.ts";
import { loadSettings } from "../settings/load.ts";
import { store as parseStore } from "../settings/parsers.ts";
import { type Settings, settingOptions } from "../settings/settings.ts";
import { type DatabasesPlace, databasesOptions, databasesPlace } from "../store_databases.ts";
import { choice } from "../suggest.ts";
import { exportTo, importFrom } from "./store_lines.ts";

/** Which store, and where its lines go or come from. */
export interface StoreWork {
  /** Url of the store. */
  readonly url: string;
  /** The file named; standard output or input when absent. */
  readonly file: string | undefined;
  /** Databases of the store's actors. */
  readonly databases: DatabasesPlace | undefined;
  readonly settings: Settings;
}

/** What `roost store` does, and the option that names its file. */
const actions = {
  export: { option: "out", run: exportTo },
  import: { option: "in", run: importFrom },
} as const;

/** Takes a store at rest out of its database, and into another. */
export const storeCommand: Command = {
  name: "store",
  summary: "Export a store at rest, with the databases of its actors, or import it into a new one",
  arguments: { usage: "export STORE | import STORE", least: 2, most: 2 },
  options: {
    out: {
      value: "FILE",
      help: "export: where the lines go, a new file (default: standard output)",
    },
    in: { value: "FILE", help: "import: where they come from (default: standard input)" },
    ...databasesOptions,
    ...settingOptions("storeSyncUrl", "storeTimeoutMs", "durability"),
  },
  example: "roost store export .roost/node.db --out node.jsonl",

  run(input: Input, world: World): Promise<number> {
    const [name = "", text = ""] = input.positionals;
    const action = Object.hasOwn(actions, name) ? actions[name as keyof typeof actions] : undefined;
    if (action === undefined) {
      throw new Misuse(`unknown action ${name}.${choice(name, Object.keys(actions))}`);
    }
    const foreign = action.option === "out" ? "in" : "out";
    if (input.has(foreign)) throw new Misuse(`store ${name} takes no --${foreign}`);
    const { settings } = loadSettings(input, world, world.cwd);
    const url = parseStore(text, { name: "STORE", folder: world.cwd });
    if (url === ":memory:") throw new Misuse(`STORE is ${url}, which keeps nothing; name a file`);
    const databases = databasesPlace(input, world, url);
    const work = { url, file: input.value(action.option), databases, settings };
    return action.run(work, input.has("json"), world);
  },
};
