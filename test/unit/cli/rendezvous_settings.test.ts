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
import type { RendezvousOptions } from "../../../src/rendezvous/options.ts";

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
