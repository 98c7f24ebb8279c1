import type { GuestIsolation } from "../../guest.ts";
import * as parse from "./parsers.ts";
import { both, type SettingSource } from "./setting_source.ts";

/** What may be configured of a node's guest. */
export interface GuestSettings {
  /** Path of the package that is served. */
  readonly package?: string;
  /** The same of `actr.toml`, which an app on the command line puts aside. */
  readonly packagePath?: string;
  /** Path of the key file of who made the package. */
  readonly manufacturerKeyFile?: string;
  readonly guestIsolation?: GuestIsolation;
  readonly guestMemoryMiB?: number;
  readonly guestTimeoutMs?: number;
  readonly guestFuel?: number;
}

type Sources = {
  readonly [Name in keyof GuestSettings]-?: SettingSource<NonNullable<GuestSettings[Name]>>;
};

const isolation: parse.Parser<GuestIsolation> = (value, place) => {
  if (value === "worker" || value === "inline") return value;
  throw parse.wrong(value, place, "write worker or inline");
};

/** Where they come from. */
export const guestSources: Sources = {
  package: both(
    ["package", "ROOST_PACKAGE"],
    "FILE.actr",
    "package that the node runs as its guest; who may have signed it: --trust-key",
    parse.path,
  ),
  packagePath: { toml: { key: "package.path", parse: parse.path }, parse: parse.path },
  manufacturerKeyFile: both(
    ["manufacturer-key", "ROOST_MANUFACTURER_KEY_FILE"],
    "FILE",
    "key file of who made the package: registers it where it is not published",
    parse.path,
  ),
  guestIsolation: both(
    ["isolation", "ROOST_GUEST_ISOLATION"],
    "worker|inline",
    "where the guest runs: in a thread of its own, or in the node's (default worker)",
    isolation,
  ),
  guestMemoryMiB: both(
    ["guest-memory", "ROOST_GUEST_MEMORY"],
    "MIB",
    "memory that the guest may have (default 64)",
    parse.count,
  ),
  guestTimeoutMs: both(
    ["guest-timeout", "ROOST_GUEST_TIMEOUT_MS"],
    "MS",
    "how long one call may be in the guest (default 5000)",
    parse.milliseconds,
  ),
  guestFuel: both(
    ["guest-fuel", "ROOST_GUEST_FUEL"],
    "N",
    "function calls and turns of loops for each call (default 50000000)",
    parse.count,
  ),
};

/** The settings of guests that have flags. */
export const guestSettingNames: readonly (keyof GuestSettings)[] = [
  "package",
  "manufacturerKeyFile",
  "guestIsolation",
  "guestMemoryMiB",
  "guestTimeoutMs",
  "guestFuel",
];
