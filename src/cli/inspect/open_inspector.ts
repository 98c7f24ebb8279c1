import { ActrError } from "../../errors.ts";
import { Redriver } from "../../inbound/redriver.ts";
import { RowMaker } from "../../inbound/row_maker.ts";
import type { Inspector } from "../../inspector/inspector.ts";
import { StoreInspector } from "../../inspector/store_inspector.ts";
import { nodeAddress, nodeOptions } from "../ask_node.ts";
import type { Input, OptionSpecs, World } from "../command.ts";
import { Misuse } from "../misuse.ts";
import { loadSettings } from "../settings/load.ts";
import { type Settings, settingOptions } from "../settings/settings.ts";
import { requireStore, withStore } from "../store_at_rest.ts";
import { HttpInspector } from "./http_inspector.ts";

/** Options of every command that inspects: a running node, or a store at rest. */
export const inspectorOptions: OptionSpecs = {
  ...nodeOptions,
  token: { value: "TOKEN", help: "its inspection token; better given as ROOST_INSPECT_TOKEN" },
  ...settingOptions("storeSyncUrl", "storeTimeoutMs"),
  store: { value: "FILE", help: "a store that no process has open, instead of a node" },
};

/** Opens what the options name, does `work` and closes it. @throws Misuse; ActrError as the inspector, `storage` for a store in use. */
export async function withInspector(
  input: Input,
  world: World,
  work: (inspector: Inspector) => Promise<number>,
): Promise<number> {
  const { settings } = loadSettings(input, world, world.cwd);
  const node = nodeAddress(input);
  const { store } = settings;
  if (!input.has("store") || store === undefined) {
    return work(new HttpInspector({ ...node, token: tokenOf(input, settings) }));
  }
  if (input.has("url") || input.has("token")) {
    throw new Misuse("--store is for a store at rest, --url and --token for a running node");
  }
  if (store === ":memory:")
    throw new Misuse(`--store is ${store}, which keeps nothing; name a file`);
  return inspectStore(store, settings, work);
}

async function inspectStore(
  url: string,
  settings: Settings,
  work: (inspector: Inspector) => Promise<number>,
): Promise<number> {
  await requireStore(url);
  try {
    return await withStore(url, settings, ({ store, clock, random }) => {
      const rows = new RowMaker({ clock, random }, store.opened);
      const redriver = new Redriver({ clock, store, rows });
      return work(new StoreInspector({ clock, store, redriver }));
    });
  } catch (cause) {
    if (!ActrError.is(cause) || cause.details?.["inUse"] !== true) throw cause;
    const message = `${cause.message}; or ask the node that has it, with --url in place of --store`;
    throw new ActrError(cause.code, message, { cause });
  }
}

function tokenOf(input: Input, { inspectToken }: Settings): string {
  const token = input.value("token") ?? inspectToken;
  if (token !== undefined) return token;
  throw new Misuse(
    "no inspection token is given; add --token TOKEN or ROOST_INSPECT_TOKEN, or --store FILE for a store at rest",
  );
}
