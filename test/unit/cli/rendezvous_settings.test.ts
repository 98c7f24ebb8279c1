import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { rendezvousCommand } from "../../../src/cli/commands/rendezvous.ts";
import { Misuse } from "../../../src/cli/misuse.ts";
import { parseInput } from "../../../src/cli/parse.ts";
import { rendezvousOptions } from "../../../src/cli/rendezvous_options.ts";
import { loadSettings } from "../../../src/cli/settings/load.ts";
import {
  defaultRendezvousLimits,
  type RendezvousOptions,
} from "../../../src/rendezvous/options.ts";

const scratch = mkdtempSync(join(tmpdir(), "roost-rendezvous-"));
after(() => rmSync(scratch, { recursive: true }));

const token = "a-token-of-operators";
const key = `${"A".repeat(43)}=`;
const file = `
[rendezvous]
realms = ["7:s3cret", "8"]
manufacturers = ["acme:${key}"]
without_rules = "deny"
turn_secret = "turn"
address_header = "x-forwarded-for"
admin_token_file = "admin.token"
cluster = true
peer_url = "ws://10.0.0.5:8080"
lease_ms = 6000
`;

/** What a rendezvous is told by a file, flags and variables. */
function options(
  toml: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): RendezvousOptions {
  writeFileSync(join(scratch, "rendezvous.toml"), toml);
  const input = parseInput(["--config", "rendezvous.toml", ...args], rendezvousCommand);
  const world = { cwd: scratch, env };
  return rendezvousOptions(input, loadSettings(input, world, scratch).settings);
}

describe("the settings of roost rendezvous", () => {
  writeFileSync(join(scratch, "admin.token"), `${token}\n`);

  it("come from a file", () => {
    assert.deepEqual(options(file), {
      realms: [{ id: 7, secret: "s3cret" }, { id: 8 }],
      manufacturers: [{ name: "acme", keys: [key] }],
      iceUrls: [],
      turnSecret: "turn",
      withoutRules: "deny",
      addressHeader: "x-forwarded-for",
      adminToken: token,
      cluster: { peerUrl: "ws://10.0.0.5:8080", leaseMs: 6000 },
    });
  });

  it("come from variables and flags, which are stronger", () => {
    const env = { ROOST_PEER_URL: "ws://10.0.0.6:8080", ROOST_WITHOUT_RULES: "allow" };
    const given = options(
      file,
      ["--realm", "9", "--lease", "9000", "--without-rules", "realm"],
      env,
    );
    assert.deepEqual(given.realms, [{ id: 9 }]);
    assert.equal(given.withoutRules, "realm");
    assert.deepEqual(given.cluster, { peerUrl: "ws://10.0.0.6:8080", leaseMs: 9000 });
  });

  it("say how long things live, and how many there may be", () => {
    const toml = `
[rendezvous]
credential_life = "30m"
renewal_life = "7d"
renewal_rotation = "1d"
reissue = "3d"
key_life = "90d"
key_tolerance = "2h"
realm_secret_grace = "8h"
heartbeat = "20s"
entry_expiry = "50s"
ping_interval = "10s"
silence = "25s"

[rendezvous.limits]
max_connections = 500
messages_per_second = 50
`;
    const minute = 60_000;
    const hour = 60 * minute;
    const { limits, ...given } = options(toml, ["--heartbeat", "25s", "--max-connections", "600"], {
      ROOST_CREDENTIAL_LIFE: "45m",
      ROOST_MAX_CONNECTIONS_PER_ADDRESS: "9",
    });
    assert.deepEqual(given, {
      realms: [],
      manufacturers: [],
      iceUrls: [],
      credentialTtlMs: 45 * minute,
      renewalTtlMs: 168 * hour,
      renewalRotationMs: 24 * hour,
      reissueMs: 72 * hour,
      keyLifeMs: 2160 * hour,
      keyToleranceMs: 2 * hour,
      realmSecretGraceMs: 8 * hour,
      heartbeatIntervalMs: 25_000,
      entryExpiryMs: 50_000,
      pingIntervalMs: 10_000,
      silenceMs: 25_000,
    });
    assert.deepEqual(limits, {
      maxConnections: 600,
      messagesPerSecond: 50,
      maxConnectionsPerAddress: 9,
    });
  });

  it("have a key for every limit", () => {
    const names = Object.keys(defaultRendezvousLimits);
    const keys = names.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`));
    const rows = keys.map((key, at) => `${key.toLowerCase()} = ${at + 1}`);
    const { limits } = options(`[rendezvous.limits]\n${rows.join("\n")}`);
    assert.deepEqual(limits, Object.fromEntries(names.map((name, at) => [name, at + 1])));
  });

  it("tell what is wrong with a time or a limit, and where it stands", () => {
    const wrong: [string, readonly string[], RegExp][] = [
      ["", ["--heartbeat", "20"], /--heartbeat is "20"; write a time with its unit, such as 30s/],
      ["", ["--key-life", "0d"], /--key-life is "0d"; write a time/],
      ["", ["--key-life", "3651d"], /--key-life is "3651d"; write a time/],
      ["[rendezvous]\nsilence = 30", [], /rendezvous\.silence in .* is 30; write a time/],
      ["", ["--address-header", "x y"], /--address-header is "x y"; write the name of one header/],
      ["", ["--max-connections", "0"], /--max-connections is "0"; it is a whole number above 0/],
      [
        "[rendezvous]\nlimits = 5",
        [],
        /rendezvous\.limits in .* is 5; write a \[rendezvous\.limits\]/,
      ],
      [
        "[rendezvous.limits]\nmax_conections = 5",
        [],
        /unknown key rendezvous\.limits\.max_conections in .* Did you mean max_connections\?/,
      ],
      [
        "[rendezvous.limits]\nmax_connections = -5",
        [],
        /rendezvous\.limits\.max_connections in .* is -5; it is a whole number above 0/,
      ],
      ["", ["--key-tolerance", "1m"], /keyToleranceMs must be at least credentialTtlMs/],
      ["[rendezvous]\nentry_expiry = '30s'", [], /entryExpiryMs must be longer than heartbeat/],
    ];
    for (const [toml, args, message] of wrong) {
      assert.throws(() => options(toml, args), message, `${toml} ${args.join(" ")}`);
      assert.throws(() => options(toml, args), Misuse);
    }
  });

  it("make one of several only where they say so", () => {
    assert.equal(options("").cluster, undefined);
    assert.deepEqual(options("", ["--cluster"]).cluster, {});
    assert.deepEqual(options("", ["--peer-url", "http://a:1"]).cluster, { peerUrl: "http://a:1" });
  });

  it("are refused when they cannot be meant", () => {
    writeFileSync(join(scratch, "short.token"), "short");
    const wrong: [string, readonly string[]][] = [
      ["", ["--lease", "9000"]],
      ["", ["--peer-url", "10.0.0.5:8080"]],
      ["", ["--without-rules", "none"]],
      ["", ["--admin-token-file", "no.token"]],
      ["", ["--admin-token-file", "short.token"]],
      ["[rendezvous]\nrealm = 7", []],
      ["[rendezvous]\nrealms = 7", []],
    ];
    for (const [toml, args] of wrong) {
      assert.throws(() => options(toml, args), Misuse, `${toml} ${args.join(" ")}`);
    }
  });
});
