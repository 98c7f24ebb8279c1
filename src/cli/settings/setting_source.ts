import * as parse from "./parsers.ts";

/** The flag of a setting. */
export interface SettingFlag {
  readonly name: string;
  /** What its value is called; absent for a switch, which says yes. */
  readonly value?: string;
  /** Whether it may be given several times: its values are one list, separated by commas. */
  readonly multiple?: true;
  readonly help: string;
}

/** Where a setting may come from, weakest first: `actr.toml`, environment, flag. */
export interface SettingSource<T> {
  /** Key of `actr.toml` (`spec/protocol.md` §12.1). */
  readonly toml?: {
    readonly key: string;
    readonly parse: parse.Parser<T>;
    /** Whether its value may name others: `{realm_id}`, `{hostname}`, `{env.NAME}`. */
    readonly template?: boolean;
  };
  /** Variable and flag, where it has them. */
  readonly env?: string;
  readonly flag?: SettingFlag;
  readonly parse: parse.Parser<T>;
}

/** A source under the same name in both. */
export function both<T>(
  [name, env]: readonly [string, string],
  value: string,
  help: string,
  parser: parse.Parser<T>,
  key?: string,
  parseToml: parse.Parser<T> = parser,
): SettingSource<T> {
  const toml = key === undefined ? {} : { toml: { key, parse: parseToml } };
  return { ...toml, env, flag: { name, value, help }, parse: parser };
}

/** A switch, which says yes, and its variable and key. */
export function switched(
  [name, env]: readonly [string, string],
  help: string,
  key: string,
): SettingSource<boolean> {
  return { toml: { key, parse: parse.yes }, env, flag: { name, help }, parse: parse.yes };
}
