import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { openStore } from "../../../adapters/sql/open.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { systemRandom } from "../../../adapters/system_random.ts";
import { ActrError } from "../../errors.ts";
import { Redriver } from "../../inbound/redriver.ts";
import { RowMaker } from "../../inbound/row_maker.ts";
import type { Inspector } from "../../inspector/inspector.ts";
import { StoreInspector } from "../../inspector/store_inspector.ts";
import { parseU32 } from "../../protocol/numbers.ts";
import { abortAfter } from "../../time_limit.ts";
import type { Input, OptionSpecs, World } from "../command.ts";
import { Misuse } from "../misuse.ts";
import { loadSettings } from "../settings/load.ts";
import type { Settings } from "../settings/settings.ts";
import { HttpInspector } from "./http_inspector.ts";

/** Options of every command that inspects: a running node, or a store at rest. */
export const inspectorOptions: OptionSpecs = {
  url: { value: "URL", help: "a running node (default http://127.0.0.1:8080)" },
  token: { value: "TOKEN", help: "its inspection token; better given as ROOST_INSPECT_TOKEN" },
  store: { value: "FILE", help: "a store that no process has open, instead of a node" },
  timeout: { value: "MS", help: "longest wait for one answer, milliseconds (default 30000)" },
  config: { value: "FILE", help: "configuration (default actr.toml, if there is one)" },
};

/** Opens what the options name, does `work` and closes it. @throws Misuse; ActrError as the inspector, `storage` for a store in use. */
export async function withInspector(
  input: Input,
  world: World,
  work: (inspector: Inspector) => Promise<number>,
): Promise<number> {
  const { settings } = loadSettings(input, world, world.cwd);
  const timeoutMs = timeoutOf(input.value("timeout"));
  const file = input.value("store");
  if (file === undefined) {
    return work(
      new HttpInspector({ url: urlOf(input), token: tokenOf(input, settings), timeoutMs }),
    );
  }
  if (input.has("url") || input.has("token")) {
    throw new Misuse("--store is for a store at rest, --url and --token for a running node");
  }
  return withStore(storeUrl(file, world.cwd), settings, timeoutMs, work);
}

async function withStore(
  url: string,
  { storeToken }: Settings,
  timeoutMs: number,
  work: (inspector: Inspector) => Promise<number>,
): Promise<number> {
  const clock = systemClock();
  const random = systemRandom();
  const limit = abortAfter(clock, timeoutMs);
  const token = storeToken === undefined ? {} : { authToken: storeToken };
  try {
    await using store = await openStore(url, { clock, random, ...token }, limit.signal);
    const rows = new RowMaker({ clock, random }, store.opened);
    const redriver = new Redriver({ clock, store, rows });
    return await work(new StoreInspector({ clock, store, redriver }));
  } finally {
    limit.cancel();
  }
}

/** The store's address; opening must not make a new one. */
function storeUrl(text: string, cwd: string): string {
  if (/^[a-z]{2,}:/.test(text) && !text.startsWith("file:")) return text;
  const path = resolve(cwd, text.replace(/^file:(?:\/\/(?=\/))?/, ""));
  if (existsSync(path)) return `file:${path}`;
  throw new ActrError("not_found", `there is no store at ${path}; name the file of one`);
}

function urlOf(input: Input): string {
  const text = input.value("url") ?? "http://127.0.0.1:8080";
  if (URL.canParse(text) && /^https?:\/\//.test(text)) return text.replace(/\/+$/, "");
  throw new Misuse(`--url is ${text}; write it as http://HOST:PORT`);
}

function tokenOf(input: Input, { inspectToken }: Settings): string {
  const token = input.value("token") ?? inspectToken;
  if (token !== undefined) return token;
  throw new Misuse(
    "no inspection token is given; add --token TOKEN or ROOST_INSPECT_TOKEN, or --store FILE for a store at rest",
  );
}

function timeoutOf(text: string | undefined): number {
  if (text === undefined) return 30_000;
  const ms = parseU32(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new Misuse(`--timeout is ${text}; it is a number of milliseconds above 0`);
}
