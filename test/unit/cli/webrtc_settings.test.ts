import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { Misuse } from "../../../src/cli/misuse.ts";
import { parseInput } from "../../../src/cli/parse.ts";
import { serveOptions } from "../../../src/cli/serve_app.ts";
import { loadSettings } from "../../../src/cli/settings/load.ts";
import { settingOptions, webRtcSettingNames } from "../../../src/cli/settings/settings.ts";

const scratch = mkdtempSync(join(tmpdir(), "roost-webrtc-"));
const grammar = {
  name: "serve",
  arguments: { usage: "", least: 0, most: 0 },
  options: settingOptions(...webRtcSettingNames),
};

/** What `serve` is told of WebRTC; `toml` is what is in `[webrtc]`. */
function options(
  toml: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): object {
  writeFileSync(join(scratch, "actr.toml"), `[webrtc]\n${toml}\n`);
  const input = parseInput(args, grammar);
  const { settings, unused } = loadSettings(input, { cwd: scratch, env }, scratch);
  assert.deepEqual(
    unused.filter((key) => !key.includes("acceptance")),
    [],
  );
  const { store: _store, log: _log, ...rest } = serveOptions("app.ts", settings, silentLogger());
  return rest;
}

const stunUrls = ["stun:a:3478", "stun:[::1]:3478"];
const turnUrls = ["turn:b?transport=tcp", "turns:c:5349"];

describe("settings of WebRTC", () => {
  after(() => rmSync(scratch, { recursive: true, force: true }));

  it("leave it off, and switch it on", () => {
    assert.deepEqual(options(""), {});
    for (const on of [
      options("enabled = true"),
      options("", ["--webrtc"]),
      options("", [], { ROOST_WEBRTC: "1" }),
    ]) {
      assert.deepEqual(on, { webrtc: true, ice: {} });
    }
  });

  it("come from actr.toml as Actr has them, from variables and from flags, and switch it on", () => {
    const all = {
      webrtc: true,
      ice: { stunUrls, turnUrls, relayOnly: true, portRange: { min: 50_000, max: 50_100 } },
    };
    const toml = `stun_urls = ${JSON.stringify(stunUrls)}
turn_urls = ${JSON.stringify(turnUrls)}
force_relay = true
port_range_start = 50000
port_range_end = 50100
ice_host_acceptance_min_wait = 0
ice_udp_mux_port = 0
public_ips = []`;
    assert.deepEqual(options(toml), all);
    const variables = {
      ROOST_STUN: stunUrls.join(", "),
      ROOST_TURN: turnUrls.join(","),
      ROOST_RELAY_ONLY: "yes",
      ROOST_WEBRTC_PORTS: "50000-50100",
    };
    assert.deepEqual(options("", [], variables), all);
    const flags = [
      ...stunUrls.flatMap((url) => ["--stun", url]),
      ...turnUrls.flatMap((url) => ["--turn", url]),
      ...["--relay-only", "--webrtc-ports", "50000-50100"],
    ];
    assert.deepEqual(options("port_range_start = 1\nport_range_end = 2", flags), all);
  });

  it("are off when they are told to be", () => {
    assert.deepEqual(options('enabled = false\nstun_urls = ["stun:a"]'), {});
    assert.deepEqual(options('stun_urls = ["stun:a"]', [], { ROOST_WEBRTC: "no" }), {});
  });

  it("refuse what cannot be meant or done, with what to do instead", () => {
    const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
      ['stun_urls = ["turn:a"]', [], /webrtc\.stun_urls .*; write stun:host:3478/],
      ["", ["--stun", "http://a"], /--stun is "http:\/\/a"; write stun:host:3478/],
      ["", ["--turn", "stun:a"], /--turn is "stun:a"; write turn:host:3478/],
      [
        "",
        ["--webrtc-ports", "9-8"],
        /--webrtc-ports is "9-8"; write two ports, the smaller first/,
      ],
      ["", ["--relay-only"], /add webrtc\.turn_urls or --turn/],
      ["port_range_start = 5", [], /port_range_start is 5 and webrtc\.port_range_end undefined/],
      ["port_range_start = 5\nport_range_end = 5", [], /give both, the start below the end/],
      ["ice_udp_mux_port = 9", [], /ice_udp_mux_port in .* is 9; no WebRTC library .*port_range/],
      ['public_ips = ["1.2.3.4"]', [], /public_ips in .*; no WebRTC library .*stun_urls/],
      ["stun_url = []", [], /unknown key webrtc\.stun_url .*Did you mean webrtc\.stun_urls/],
    ];
    for (const [toml, args, message] of cases) {
      assert.throws(
        () => options(toml, args),
        (error: Error) => error instanceof Misuse && message.test(error.message),
        `${toml} ${args.join(" ")}`,
      );
    }
  });
});
