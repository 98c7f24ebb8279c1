import type { ManufacturerOptions, RealmOptions } from "../rendezvous/options.ts";
import { Misuse } from "./misuse.ts";
import { realm as parseRealm } from "./settings/parsers.ts";

/** The realms of `--realm ID[:SECRET]`: given twice, the first secret is the current one and the other the one before. @throws Misuse. */
export function realmsOf(values: readonly string[]): RealmOptions[] {
  const realms = new Map<number, RealmOptions>();
  for (const value of values) {
    const next = realmOf(value);
    realms.set(next.id, withNext(realms.get(next.id), next));
  }
  return [...realms.values()];
}

function realmOf(text: string): RealmOptions {
  const colon = text.indexOf(":");
  const place = { name: "--realm", folder: "" };
  if (colon < 0) return { id: parseRealm(text, place) };
  const secret = text.slice(colon + 1);
  if (secret === "" || secret.trim() !== secret) {
    throw new Misuse("--realm has an empty secret, or one with spaces around it; write ID:SECRET");
  }
  return { id: parseRealm(text.slice(0, colon), place), secret };
}

function withNext(first: RealmOptions | undefined, { id, secret }: RealmOptions): RealmOptions {
  if (first === undefined) return { id, ...(secret !== undefined && { secret }) };
  if (first.secret === undefined || secret === undefined || first.previousSecret !== undefined) {
    throw new Misuse(`--realm ${id} is given twice; that is for a new and an old secret alone`);
  }
  return { ...first, previousSecret: secret };
}

/** The manufacturers of `--manufacturer NAME:KEY`, which may be given once for each key. @throws Misuse. */
export function manufacturersOf(values: readonly string[]): ManufacturerOptions[] {
  const keys = new Map<string, string[]>();
  for (const value of values) {
    const [, name, key] = /^([^:]+):([A-Za-z0-9+/]{43}=)$/.exec(value) ?? [];
    if (name === undefined || key === undefined) {
      throw new Misuse(`--manufacturer ${value} is not NAME:KEY, with base64 of 32 bytes as key`);
    }
    keys.set(name, [...(keys.get(name) ?? []), key]);
  }
  return [...keys].map(([name, own]) => ({ name, keys: own }));
}
