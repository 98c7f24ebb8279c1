import type { WithoutRules } from "../../rendezvous/discovery/acl.ts";
import { suggestion } from "../suggest.ts";
import * as parse from "./parsers.ts";
import { type RendezvousTuning, rendezvousTuningSources } from "./rendezvous_tuning.ts";
import { both, type SettingSource, switched } from "./setting_source.ts";

/** What may be configured of a rendezvous alone. */
export interface RendezvousSettings extends RendezvousTuning {
  /** As `--realm` has them: `ID[:SECRET]`. */
  readonly realms?: readonly string[];
  /** As `--manufacturer` has them: `NAME:KEY`. */
  readonly manufacturers?: readonly string[];
  readonly withoutRules?: WithoutRules;
  readonly turnSecret?: string;
  readonly addressHeader?: string;
  /** Path of a file. */
  readonly adminTokenFile?: string;
  readonly cluster?: boolean;
  readonly peerUrl?: string;
  readonly leaseMs?: number;
}

type Sources = {
  readonly [Name in keyof RendezvousSettings]-?: SettingSource<
    NonNullable<RendezvousSettings[Name]>
  >;
};

/** Where they come from. */
export const rendezvousSources: Sources = {
  realms: { toml: { key: "rendezvous.realms", parse: parse.texts }, parse: parse.texts },
  manufacturers: {
    toml: { key: "rendezvous.manufacturers", parse: parse.texts },
    parse: parse.texts,
  },
  withoutRules: both(
    ["without-rules", "ROOST_WITHOUT_RULES"],
    "allow|realm|deny",
    "who finds a node that registered without access rules (default realm: its own realm)",
    withoutRules,
    "rendezvous.without_rules",
  ),
  turnSecret: both(
    ["turn-secret", "ROOST_TURN_SECRET"],
    "SECRET",
    "secret shared with the TURN server; better given as ROOST_TURN_SECRET",
    parse.text,
    "rendezvous.turn_secret",
  ),
  addressHeader: both(
    ["address-header", "ROOST_ADDRESS_HEADER"],
    "NAME",
    "header in which a proxy in front names the client's address (default: there is none)",
    parse.headerName,
    "rendezvous.address_header",
  ),
  adminTokenFile: both(
    ["admin-token-file", "ROOST_ADMIN_TOKEN_FILE"],
    "FILE",
    "file with the token that opens /admin to operators (default: there is no /admin)",
    parse.path,
    "rendezvous.admin_token_file",
  ),
  cluster: switched(
    ["cluster", "ROOST_CLUSTER"],
    "be one of several rendezvous on the libSQL server that --store names",
    "rendezvous.cluster",
  ),
  peerUrl: both(
    ["peer-url", "ROOST_PEER_URL"],
    "URL",
    "where the others of the cluster reach this one (default: they talk through the store)",
    parse.peerUrl,
    "rendezvous.peer_url",
  ),
  leaseMs: both(
    ["lease", "ROOST_LEASE_MS"],
    "MS",
    "silence after which another of the cluster counts as dead (default 10000)",
    parse.milliseconds,
    "rendezvous.lease_ms",
  ),
  ...rendezvousTuningSources,
};

function withoutRules(value: unknown, place: parse.Place): WithoutRules {
  const wanted = parse.text(value, place);
  if (wanted === "allow" || wanted === "realm" || wanted === "deny") return wanted;
  const hint = suggestion(wanted, ["allow", "realm", "deny"]);
  throw parse.wrong(value, place, `write allow, realm or deny.${hint}`);
}
