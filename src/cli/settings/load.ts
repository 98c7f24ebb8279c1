import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse } from "smol-toml";
import { defaultRealm } from "../../../adapters/serve/settings.ts";
import { tomlFault } from "../../protocol/manifest/toml_table.ts";
import type { Input, World } from "../command.ts";
import { Misuse } from "../misuse.ts";
import { suggestion } from "../suggest.ts";
import type { SettingFlag } from "./setting_source.ts";
import { type SettingName, type Settings, sources } from "./settings.ts";
import { fillTemplate } from "./template.ts";
import { knownValues, type TomlValues } from "./toml_keys.ts";

/** Settings with what is to be told about them. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** The configuration file that was read. */
  readonly file?: string;
  /** Its keys that have no effect. */
  readonly unused: readonly string[];
}

/** Variables that start so belong to the tests of Roost itself. */
const testVariables = "ROOST_TEST_";

/**
 * Settings of `actr.toml` (in `folder`, or `--config`), then the environment, then flags: later wins.
 * @throws Misuse for an unknown key or variable, or a value that cannot be meant.
 */
export function loadSettings(
  input: Input,
  world: Pick<World, "cwd" | "env">,
  folder: string,
): LoadedSettings {
  refuseUnknownVariables(world.env);
  const file = configFile(input.value("config"), world.cwd, folder);
  const toml: TomlValues = file === undefined ? { values: new Map(), unused: [] } : readToml(file);
  const settings: Partial<Record<SettingName, unknown>> = {};
  for (const name of Object.keys(sources) as SettingName[]) {
    const value = strongest(name, input, world, toml, file);
    if (value !== undefined) settings[name] = value;
  }
  return { settings: settings as Settings, unused: toml.unused, ...(file && { file }) };
}

function strongest(
  name: SettingName,
  input: Input,
  { env, cwd }: Pick<World, "cwd" | "env">,
  toml: TomlValues,
  file: string | undefined,
): unknown {
  const source = sources[name];
  const flagged = source.flag && flagOf(source.flag, input);
  if (source.flag !== undefined && flagged !== undefined) {
    return source.parse(flagged, { name: `--${source.flag.name}`, folder: cwd });
  }
  const variable = source.env === undefined ? undefined : env[source.env];
  if (source.env !== undefined && variable !== undefined && variable !== "") {
    return source.parse(variable, { name: source.env, folder: cwd });
  }
  const { key, parse: parseToml, template = false } = source.toml ?? {};
  if (key === undefined || parseToml === undefined || !toml.values.has(key)) return undefined;
  const place = { name: `${key} in ${file}`, folder: dirname(file ?? cwd) };
  const value = toml.values.get(key);
  if (!template || typeof value !== "string") return parseToml(value, place);
  const realm = strongest("realm", input, { env, cwd }, toml, file) ?? defaultRealm;
  const variables = new Map([
    ["realm_id", String(realm)],
    ["hostname", hostname()],
  ]);
  return parseToml(fillTemplate(value, { variables, env }, place), place);
}

function flagOf({ name, value, multiple }: SettingFlag, input: Input): string | undefined {
  if (!input.has(name)) return undefined;
  if (value === undefined) return "yes";
  return multiple === true ? input.values(name).join(",") : input.value(name);
}

function refuseUnknownVariables(env: World["env"]): void {
  const known = Object.values(sources).flatMap((source) => source.env ?? []);
  for (const name of Object.keys(env)) {
    if (!name.startsWith("ROOST_") || name.startsWith(testVariables)) continue;
    if (!known.includes(name)) {
      throw new Misuse(`unknown variable ${name}.${suggestion(name, known)}`);
    }
  }
}

function configFile(named: string | undefined, cwd: string, folder: string): string | undefined {
  if (named === undefined) {
    const usual = join(folder, "actr.toml");
    return existsSync(usual) ? usual : undefined;
  }
  const file = resolve(cwd, named);
  if (existsSync(file)) return file;
  throw new Misuse(`--config is ${named}, but there is no such file`);
}

function readToml(file: string): TomlValues {
  const text = readText(file);
  let document: Record<string, unknown>;
  try {
    document = parse(text);
  } catch (error) {
    throw new Misuse(`no TOML in ${tomlFault(error, file)}`);
  }
  return knownValues(document, file);
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Misuse(`cannot read the configuration ${file}: ${(error as Error).message}`);
  }
}
