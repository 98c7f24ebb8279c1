import * as parse from "./parsers.ts";
import { both, type SettingSource } from "./setting_source.ts";
import { hyperTrust, type TrustSource, trustKeys, trustList, trustRegistry } from "./trust.ts";

/** What may be configured of packages: who signs them, and who is trusted. */
export interface PackageSettings {
  /** Path of a key file. */
  readonly signingKeyFile?: string;
  readonly trustKeys?: readonly TrustSource[];
  readonly trustRegistry?: readonly TrustSource[];
  readonly hyperTrust?: readonly TrustSource[];
  readonly trust?: readonly TrustSource[];
}

type Sources = {
  readonly [Name in keyof PackageSettings]-?: SettingSource<NonNullable<PackageSettings[Name]>>;
};

/** Where they come from. */
export const packageSources: Sources = {
  signingKeyFile: both(
    ["key", "ROOST_SIGNING_KEY_FILE"],
    "FILE",
    "key file of who signs (default ~/.actr/dev-key.json)",
    parse.path,
  ),
  trustKeys: {
    env: "ROOST_TRUST_KEY",
    flag: {
      name: "trust-key",
      value: "FILE|KEY",
      multiple: true,
      help: "trust what this key signed: a key file, or base64 of the public key",
    },
    parse: trustKeys,
  },
  trustRegistry: both(
    ["trust-registry", "ROOST_TRUST_REGISTRY"],
    "URL",
    "trust what manufacturers signed whose keys this server has, such as http://127.0.0.1:8080",
    trustRegistry,
  ),
  hyperTrust: { toml: { key: "hyper.trust", parse: hyperTrust }, parse: hyperTrust },
  trust: { toml: { key: "trust", parse: trustList }, parse: trustList },
};
