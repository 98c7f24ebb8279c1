import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type Grammar, parseInput } from "../../../src/cli/parse.ts";
import { type LoadedSettings, loadSettings } from "../../../src/cli/settings/load.ts";
import { type SettingName, settingOptions, sources } from "../../../src/cli/settings/settings.ts";
import { fileUrl, shownStore } from "../../../src/cli/settings/store_address.ts";
import { resolveNodeOptions } from "../../../src/options.ts";

const scratch = mkdtempSync(join(tmpdir(), "roost-settings-"));

const names = Object.keys(sources) as SettingName[];
const grammar: Grammar = {
  name: "serve",
  arguments: { usage: "", least: 0, most: 0 },
  options: settingOptions(...names),
};
let files = 0;

/** Loads with a configuration file of this text. */
function load(
  toml: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): LoadedSettings {
  const name = `${++files}.toml`;
  writeFileSync(join(scratch, name), toml);
  const world = { cwd: scratch, env, out: () => {}, err: () => {} };
  return loadSettings(parseInput(["--config", name, ...args], grammar), world, scratch);
}

const everything = `
edition = 1
[signaling]
url = "ws://localhost:8081/signaling/ws"
[ais_endpoint]
url = "http://localhost:8081/ais"
[deployment]
realm_id = 7
realm_secret = "s"
[websocket]
listen_port = 9001
advertised_host = "10.0.0.1"
[observability]
filter_level = "actr=debug,WARN"
tracing_enabled = true
[storage]
mailbox_path = "data/box.db"
[webrtc]
stun_urls = ["stun:x"]
[scripts]
run = "x"
[[acl.rules]]
permission = "ALLOW"
type = "acme:Client:1.0.0"
realm = "*"
[[acl.rules]]
permission = "deny"
type = "acme:Client:2.0.0"
[hyper]
data_dir = "/x"
`;

describe("settings", () => {
  after(() => rmSync(scratch, { recursive: true, force: true }));

  it("come from actr.toml, whose keys without effect are told", () => {
    const { settings, unused, file } = load(everything);
    assert.deepEqual(settings, {
      port: 9001,
      advertisedHost: "10.0.0.1",
      identity: "http://localhost:8081/ais",
      signaling: "ws://localhost:8081/signaling/ws",
      realm: 7,
      realmSecret: "s",
      store: `file:${join(scratch, "data/box.db")}`,
      log: "warn",
      stunUrls: ["stun:x"],
      acl: [
        { permission: "allow", type: "acme:Client:1.0.0", realm: "*" },
        { permission: "deny", type: "acme:Client:2.0.0" },
      ],
    });
    assert.deepEqual(unused, [
      "edition",
      "observability.tracing_enabled",
      "scripts",
      "hyper.data_dir",
    ]);
    assert.equal(file, join(scratch, `${files}.toml`));
  });

  it("are overruled by the environment, and that by flags", () => {
    const toml =
      "[websocket]\nlisten_port = 1\n[deployment]\nrealm_id = 1\n[ais_endpoint]\nurl = 'http://a/ais'\n";
    const env = { ROOST_PORT: "2", ROOST_REALM: "2", ROOST_STORE: ":memory:", ROOST_LOG: "" };
    const { settings } = load(toml, ["--port", "3", "--log", "debug"], env);
    assert.deepEqual(settings, {
      port: 3,
      realm: 2,
      identity: "http://a/ais",
      store: ":memory:",
      log: "debug",
    });
  });

  it("take the identity service with or without its path", () => {
    for (const address of ["http://h:1", "http://h:1/ais", "ws://h:1"]) {
      assert.equal(load("", ["--identity", address]).settings.identity, "http://h:1/ais");
    }
  });

  it("[N-18] [ND-12] the store's path may name the realm and the environment", () => {
    const toml = `[deployment]\nrealm_id = 7\n[storage]\nmailbox_path = "{realm_id}/{env.TENANT}.db"`;
    const path = (name: string): string => fileUrl(join(scratch, name));
    assert.equal(load(toml, [], { TENANT: "acme" }).settings.store, path("7/acme.db"));
    assert.equal(load(toml, ["--realm", "8"], { TENANT: "x" }).settings.store, path("8/x.db"));
    assert.throws(() => load(toml), /\{env\.TENANT\}/);
  });

  it("take a store as a path from where it is written, a url or an address, and print no secret of it", () => {
    const cases = [
      ["data/a b.db", `file:${join(scratch, "data/a b.db")}`],
      ["/x/100%?.db", "file:/x/100%25%3F.db"],
      ["file:box.db", `file:${join(scratch, "box.db")}`],
      ["file:///x/a%20b.db", "file:/x/a b.db"],
      [":memory:", ":memory:"],
      ["libsql://h:1?tls=0", "libsql://h:1?tls=0"],
    ] as const;
    for (const [text, store] of cases) {
      assert.equal(load("", ["--store", text]).settings.store, store);
      assert.equal(load(`[storage]\nmailbox_path = ${JSON.stringify(text)}`).settings.store, store);
    }
    assert.equal(shownStore("ws://user:pass@h:1/?authToken=s3cret"), "ws://h:1/");
    assert.equal(shownStore("file:/x/100%25%3F.db"), "file:/x/100%25%3F.db");
  });

  it("say how a libSQL server is reached, from every source", () => {
    const toml = `[store]
token = "t"
sync = "http://127.0.0.1:8090"
timeout_ms = 700
durability = "normal"
`;
    const told = {
      storeToken: "t",
      storeSyncUrl: "http://127.0.0.1:8090",
      storeTimeoutMs: 700,
      durability: "normal",
    };
    assert.deepEqual(load(toml).settings, told);
    const env = {
      ROOST_STORE_TOKEN: "t",
      ROOST_STORE_SYNC: "http://127.0.0.1:8090",
      ROOST_STORE_TIMEOUT_MS: "700",
      ROOST_DURABILITY: "normal",
    };
    assert.deepEqual(load("", [], env).settings, told);
    const flags = ["--store-sync", "ws://h:1", "--store-timeout", "1", "--durability", "full"];
    assert.deepEqual(load(toml, flags, env).settings, {
      storeToken: "t",
      storeSyncUrl: "ws://h:1",
      storeTimeoutMs: 1,
      durability: "full",
    });
  });

  it("[N-20] ACTR_DISPATCH_SERIAL of 1, true, TRUE or yes, with spaces, has handlers run one by one; concurrency is on by default, and off stays off", () => {
    for (const word of ["1", "true", " TRUE ", "yes\n"]) {
      assert.equal(load("", [], { ACTR_DISPATCH_SERIAL: word }).settings.serial, true, word);
    }
    for (const word of ["0", "no", "maybe"]) {
      assert.equal(load("", [], { ACTR_DISPATCH_SERIAL: word }).settings.serial, false, word);
    }
    assert.equal(load("").settings.serial, undefined);
    const concurrent = (dispatch = {}): boolean =>
      resolveNodeOptions({ dispatch }).dispatch.concurrent;
    assert.equal(concurrent(), true);
    assert.equal(concurrent({ concurrent: false }), false);
  });

  const wrong: readonly (readonly [string, readonly string[], Record<string, string>, RegExp])[] = [
    [
      "[signalling]\nurl = 'x'",
      [],
      {},
      /^unknown key signalling\.url in .*\. Did you mean signaling\.url\?$/,
    ],
    [
      "[websocket]\nlisten_prot = 1",
      [],
      {},
      /listen_prot in .*Did you mean websocket\.listen_port\?/,
    ],
    ["surprise = 1", [], {}, /^unknown key surprise in /],
    ["[storage]\nother = 1", [], {}, /^unknown key storage\.other/],
    ["websocket = 1", [], {}, /^websocket in .* must be a table: \[websocket\]$/],
    ["[websocket]\nlisten_port = 'x'", [], {}, /^websocket\.listen_port in .* is "x"; a port is/],
    ["[deployment]\nrealm_id = -1", [], {}, /^deployment\.realm_id in .* is -1; a realm is/],
    ["[ais_endpoint]\nurl = 'here'", [], {}, /is "here"; write an address such as http:/],
    ["[signaling]\nurl = 'http://x'", [], {}, /is "http:\/\/x"; write an address such as ws:/],
    [
      "[observability]\nfilter_level = 'inof'",
      [],
      {},
      /is "inof"; write trace.*Did you mean info\?/,
    ],
    [
      "[[acl.rules]]\ntype = 'a:b:c'",
      [],
      {},
      /acl\.rules in .*\[0\]\.permission is undefined; write allow or deny/,
    ],
    [
      "[[acl.rules]]\npermission = 'allow'\ntype = 'a'",
      [],
      {},
      /\[0\]\.type is "a"; write manufacturer:name:version/,
    ],
    [
      "[[acl.rules]]\npermission = 'allow'\ntype = 'a:b:c'\nrealm = 'x'",
      [],
      {},
      /\[0\]\.realm is "x"; write "self"/,
    ],
    [
      "[[acl.rules]]\npermision = 'allow'",
      [],
      {},
      /unknown key .*\[0\]\.permision\. Did you mean permission\?/,
    ],
    ["[acl]", [], {}, /acl in .* has no rules; write \[\[acl\.rules\]\], or rules = \[\]/],
    ["x = 1\n= 's3cret'", [], {}, /^no TOML in [^\n]*\.toml, line 2: [a-z -]+$/],
    ["", [], { ROOST_PROT: "1" }, /^unknown variable ROOST_PROT\. Did you mean ROOST_PORT\?$/],
    ["", [], { ROOST_PORT: "x" }, /^ROOST_PORT is "x"; a port is/],
    ["[store]\nsnyc = 'x'", [], {}, /unknown key store\.snyc in .*Did you mean store\.sync\?/],
    ["", ["--store", "mysql://h/x"], {}, /^--store is "mysql:\/\/h\/x"; write a path/],
    ["", ["--store", "file://h/x.db"], {}, /^--store is "file:\/\/h\/x\.db"; write a path/],
    ["", ["--store-sync", "node.db"], {}, /is "node\.db"; write the address of a libSQL server/],
    ["", [], { ROOST_STORE_TIMEOUT_MS: "0" }, /is "0"; it is a whole number of milliseconds/],
    ["", ["--durability", "some"], {}, /^--durability is "some"; write "full"/],
    ["", ["--store", ""], {}, /^--store is ""; it must not be empty$/],
    ["", ["--config", "."], {}, /^cannot read the configuration \/.*: EISDIR\b/],
  ];
  for (const [toml, args, env, message] of wrong) {
    it(`refuse ${JSON.stringify(toml || args.join(" ") || env)}`, () => {
      assert.throws(() => load(toml, args, env), { name: "Misuse", message });
    });
  }

  it("need the file that --config names, and take no notice of the tests' own variables", () => {
    const world = { cwd: scratch, env: { ROOST_TEST_X: "1" }, out: () => {}, err: () => {} };
    assert.deepEqual(loadSettings(parseInput([], grammar), world, scratch), {
      settings: {},
      unused: [],
    });
    assert.throws(
      () => loadSettings(parseInput(["--config", "no.toml"], grammar), world, scratch),
      {
        message: "--config is no.toml, but there is no such file",
      },
    );
  });
});
