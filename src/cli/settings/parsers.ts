import { resolve } from "node:path";
import { identityAt } from "../../../adapters/serve/settings.ts";
import { isServer } from "../../../adapters/sql/open.ts";
import type { AclRule } from "../../define.ts";
import { resolveRules } from "../../inbound/acl.ts";
import type { Durability } from "../../options.ts";
import { type LogLevel, logLevels } from "../../ports/logger.ts";
import { parseU32 } from "../../protocol/numbers.ts";
import { Misuse } from "../misuse.ts";
import { suggestion } from "../suggest.ts";
import { storeAddress } from "./store_address.ts";

/** Where a value stands. */
export interface Place {
  /** How the user wrote its name: `--port`, `ROOST_PORT`, `websocket.listen_port`. */
  readonly name: string;
  /** Folder that relative paths start from. */
  readonly folder: string;
}

/** Reads a value of a flag or variable (a text) or of TOML. @throws Misuse naming the place, the value and what it may be. */
export type Parser<T> = (value: unknown, place: Place) => T;

/** The misuse of a place that has a value which cannot be meant. */
export function wrong(value: unknown, { name }: Place, mend: string): Misuse {
  return new Misuse(`${name} is ${JSON.stringify(value)}; ${mend}`);
}

/** Any text but an empty one. */
export const text: Parser<string> = (value, place) => {
  if (typeof value === "string" && value !== "") return value;
  throw wrong(value, place, value === "" ? "it must not be empty" : "it must be a text");
};

/** Name of a header of HTTP. */
export const headerName: Parser<string> = (value, place) => {
  const name = text(value, place);
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return name;
  throw wrong(value, place, "write the name of one header, such as x-forwarded-for");
};

/** A list of texts, none empty. */
export const texts: Parser<readonly string[]> = (value, place) => {
  if (!Array.isArray(value)) throw wrong(value, place, "it must be a list of texts");
  return value.map((each) => text(each, place));
};

/** Path of a file. */
export const path: Parser<string> = (value, place) => resolve(place.folder, text(value, place));

/** 0 to 65535; 0 lets the system choose. */
export const port: Parser<number> = (value, place) => {
  const number = parseU32(String(value));
  if (number !== undefined && number <= 65_535) return number;
  throw wrong(value, place, "a port is a whole number from 0 to 65535");
};

/** A u32. */
export const realm: Parser<number> = (value, place) => {
  const number = parseU32(String(value));
  if (number !== undefined) return number;
  throw wrong(value, place, "a realm is a whole number from 0 to 4294967295");
};

/** Base address of the identity service; `/ais` may be left out. */
export const identity: Parser<string> = (value, place) => {
  try {
    return identityAt(text(value, place));
  } catch {
    throw wrong(value, place, "write an address such as http://127.0.0.1:8080/ais");
  }
};

/** Full address of a WebSocket. */
export const webSocketUrl: Parser<string> = (value, place) => {
  const address = text(value, place);
  if (URL.canParse(address) && /^wss?:\/\//i.test(address)) return address;
  throw wrong(value, place, "write an address such as ws://127.0.0.1:8080/signaling/ws");
};

/** Base address of a rendezvous, as the others of its cluster reach it. */
export const peerUrl: Parser<string> = (value, place) => {
  const address = text(value, place);
  if (URL.canParse(address) && /^(?:ws|http)s?:\/\/[^?#]+$/i.test(address)) return address;
  throw wrong(value, place, "write an address such as ws://10.0.0.5:8080");
};

/** A path, `file:PATH`, `:memory:` or the address of a libSQL server, as url of a store. */
export const store: Parser<string> = (value, place) => {
  const url = storeAddress(text(value, place), place.folder);
  if (url !== undefined) return url;
  throw wrong(value, place, "write a path, file:PATH, :memory: or the address of a libSQL server");
};

/** The address of a libSQL server. */
export const storeServer: Parser<string> = (value, place) => {
  const address = text(value, place);
  if (URL.canParse(address) && isServer(address)) return address;
  throw wrong(value, place, "write the address of a libSQL server, such as http://127.0.0.1:8090");
};

/** A time in milliseconds, at least 1. */
export const milliseconds: Parser<number> = (value, place) => {
  const number = parseU32(String(value));
  if (number !== undefined && number > 0) return number;
  throw wrong(value, place, "it is a whole number of milliseconds above 0");
};

/** A number of things, 1 to 4294967295. */
export const count: Parser<number> = (value, place) => {
  const number = parseU32(String(value));
  if (number !== undefined && number > 0) return number;
  throw wrong(value, place, "it is a whole number above 0");
};

const second = 1000;
const unitsMs = { s: second, m: 60 * second, h: 3600 * second, d: 86_400 * second } as const;
const longestMs = 3650 * unitsMs.d;

/** A time with its unit, such as `30s`, `15m`, `12h` or `30d`, as milliseconds: a second to ten years. */
export const duration: Parser<number> = (value, place) => {
  const [, digits = "", unit = "s"] = /^(\d{1,9})([smhd])$/.exec(String(value)) ?? [];
  const ms = Number(digits) * unitsMs[unit as keyof typeof unitsMs];
  if (ms > 0 && ms <= longestMs) return ms;
  throw wrong(value, place, "write a time with its unit, such as 30s, 15m, 12h or 30d");
};

/** One of {@link logLevels}. */
export const logLevel: Parser<LogLevel> = (value, place) => {
  const wanted = text(value, place);
  const level = logLevels.find((each) => each === wanted.toLowerCase());
  if (level !== undefined) return level;
  throw wrong(value, place, `write ${logLevels.join(", ")}.${suggestion(wanted, logLevels)}`);
};

/** The level of an `env_filter` text, such as `info,actr=debug`: its part without a target. */
export const filterLevel: Parser<LogLevel> = (value, place) => {
  const parts = text(value, place).split(",");
  return logLevel(parts.find((part) => !part.includes("=")) ?? "info", place);
};

/** `1`, `true`, `TRUE` or `yes`, with spaces around, or the truth value; everything else means no. */
export const yes: Parser<boolean> = (value) =>
  ["1", "true", "TRUE", "yes"].includes(String(value).trim());

/** `stun:` URLs: a list, or a text with commas between them. */
export const stunUrls: Parser<readonly string[]> = (value, place) =>
  urls(value, place, /^stun:[^\s/?]+$/i, "stun:host:3478");

/** `turn:` and `turns:` URLs, likewise. */
export const turnUrls: Parser<readonly string[]> = (value, place) =>
  urls(value, place, /^turns?:[^\s/?]+(\?transport=(udp|tcp))?$/i, "turn:host:3478");

function urls(value: unknown, place: Place, shape: RegExp, example: string): readonly string[] {
  const list = typeof value === "string" ? value.split(",").map((each) => each.trim()) : value;
  if (Array.isArray(list) && list.every((url) => typeof url === "string" && shape.test(url))) {
    return list;
  }
  throw wrong(value, place, `write ${example}, several with commas between them`);
}

/** `MIN-MAX`, ports above 0. */
export const portRange: Parser<{ readonly min: number; readonly max: number }> = (value, place) => {
  const [, first = "", last = ""] = /^(\d+)-(\d+)$/.exec(text(value, place)) ?? [];
  const [min, max] = [parseU32(first), parseU32(last)];
  if (min !== undefined && max !== undefined && min > 0 && min < max && max <= 65_535) {
    return { min, max };
  }
  throw wrong(value, place, "write two ports, the smaller first: 50000-50100");
};

/** `full` or `normal`. */
export const durability: Parser<Durability> = (value, place) => {
  if (value === "full" || value === "normal") return value;
  throw wrong(
    value,
    place,
    'write "full" (survives power loss) or "normal" (survives the process alone)',
  );
};

/** Rules of `[[acl.rules]]` (`spec/protocol.md` §9). */
export const accessRules: Parser<readonly AclRule[]> = (value, place) => {
  if (!Array.isArray(value)) throw wrong(value, place, "write [[acl.rules]] tables");
  return value.map((entry: unknown, index) => {
    return accessRule(entry, { ...place, name: `${place.name}[${index}]` });
  });
};

const ruleKeys = ["permission", "type", "realm"];

function accessRule(entry: unknown, place: Place): AclRule {
  if (typeof entry !== "object" || entry === null) throw wrong(entry, place, "it must be a table");
  const { permission, type, realm: inRealm } = entry as Record<string, unknown>;
  const unknown = Object.keys(entry).find((key) => !ruleKeys.includes(key));
  if (unknown !== undefined) {
    throw new Misuse(`unknown key ${place.name}.${unknown}.${suggestion(unknown, ruleKeys)}`);
  }
  const rule: AclRule = {
    permission: permissionOf(permission, place),
    type: text(type, { ...place, name: `${place.name}.type` }),
    ...(inRealm === undefined ? {} : { realm: ruleRealm(inRealm, place) }),
  };
  try {
    resolveRules([rule], 0);
  } catch {
    throw wrong(type, { ...place, name: `${place.name}.type` }, "write manufacturer:name:version");
  }
  return rule;
}

function permissionOf(value: unknown, place: Place): AclRule["permission"] {
  const lower = typeof value === "string" ? value.toLowerCase() : value;
  if (lower === "allow" || lower === "deny") return lower;
  throw wrong(value, { ...place, name: `${place.name}.permission` }, "write allow or deny");
}

function ruleRealm(value: unknown, place: Place): NonNullable<AclRule["realm"]> {
  if (value === "self" || value === "*") return value;
  if (typeof value === "number") return realm(value, { ...place, name: `${place.name}.realm` });
  throw wrong(value, { ...place, name: `${place.name}.realm` }, 'write "self", "*" or a number');
}
