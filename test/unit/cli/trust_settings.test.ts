import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { verifyCommand } from "../../../src/cli/commands/verify.ts";
import { openTrust } from "../../../src/cli/guest/trust.ts";
import { parseInput } from "../../../src/cli/parse.ts";
import { loadSettings } from "../../../src/cli/settings/load.ts";
import type { Settings } from "../../../src/cli/settings/settings.ts";
import { toBase64 } from "../../../src/protocol/bytes.ts";

const folder = mkdtempSync(join(tmpdir(), "roost-trust-"));
const key = new Uint8Array(32).fill(7);
const base64 = toBase64(key);

function load(
  toml: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Settings {
  writeFileSync(join(folder, "actr.toml"), toml);
  const input = parseInput(["x.actr", ...args], verifyCommand);
  return loadSettings(input, { cwd: folder, env }, folder).settings;
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const refused = (toml: string, message: RegExp): void => {
  assert.throws(() => load(toml), { code: "config", message }, toml);
};

describe("who is trusted, as settings say", () => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("[G-39] is one table, or a list, by its kinds; nobody at all is an error", async () => {
    assert.deepEqual(load('[hyper.trust]\nkind = "dev_only"').hyperTrust, [{ kind: "nobody" }]);
    await openTrust(load('[hyper.trust]\nkind = "dev_only"'));
    const list = '[[trust]]\nkind = "registry"\nendpoint = "http://h:1/ais/"\nallow_stale = true\n';
    const anchors = load(`${list}[[trust]]\nkind = "static"\npubkey_b64 = "${base64}"`);
    assert.deepEqual(anchors.trust, [
      { kind: "registry", endpoint: "http://h:1", allowStale: true },
      { kind: "key", publicKey: key },
    ]);
    await openTrust(anchors);
    await assert.rejects(openTrust(load("")), {
      code: "config",
      message: /^nothing says who may sign packages; name --trust-key FILE/,
    });
  });

  it("[N-19] is needed: nobody named is an error, a registry or nobody at all is an answer", async () => {
    await assert.rejects(openTrust(load("")), { code: "config" });
    for (const anchor of ['"dev_only"', '"registry"\nendpoint = "http://h:1"']) {
      const { verify } = await openTrust(load(`[hyper.trust]\nkind = ${anchor}`));
      assert.equal(typeof verify, "function");
    }
  });

  it("[G-40] has keys as base64 and in files, beside the configuration; each failure names what is wrong", async () => {
    write("good.json", JSON.stringify({ public_key: base64, note: "x" }));
    await openTrust(load('[hyper.trust]\nkind = "static"\npubkey_file = "good.json"'));
    const failures: readonly (readonly [text: string | undefined, message: RegExp])[] = [
      [undefined, /^cannot read the key file .*bad0\.json: there is no such file/],
      ["{", /^.*bad1\.json is no key file: it must be JSON with public_key$/],
      ["{}", /^public_key of .*bad2\.json is missing; it must be base64 of 32 bytes$/],
      ['{"public_key":"***"}', /^public_key of .*bad3\.json is something else; /],
      ['{"public_key":"AAAA"}', /^public_key of .*bad4\.json is something else; /],
    ];
    for (const [at, [text, message]] of failures.entries()) {
      if (text !== undefined) write(`bad${at}.json`, text);
      const settings = load(`[hyper.trust]\nkind = "static"\npubkey_file = "bad${at}.json"`);
      await assert.rejects(openTrust(settings), { code: "config", message });
    }
    const wrong =
      /^pubkey_b64 of hyper\.trust in .*actr\.toml is "AAAA"; write base64 of 32 bytes$/;
    refused('[hyper.trust]\nkind = "static"\npubkey_b64 = "AAAA"', wrong);
  });

  it("is refused by name, value and mend where it cannot be meant", () => {
    refused(
      '[hyper.trust]\nkind = "any"',
      /^kind of hyper\.trust in .* is "any"; write dev_only, /,
    );
    refused(
      '[[trust]]\nkind = "dev_only"',
      /^kind of entry 1 of trust in .* write static, registry$/,
    );
    refused("[hyper.trust]", /^kind of hyper\.trust in .* is missing; /);
    refused("trust = []", /^trust in .* is \[\]; write \[\[trust\]\] tables$/);
    refused("trust = [1]", /^entry 1 of trust in .* is 1; it must be a table$/);
    refused('[hyper.trust]\nkind = "static"', /give it either pubkey_file or pubkey_b64$/);
    const both = `pubkey_file = "x"\npubkey_b64 = "${base64}"`;
    refused(`[hyper.trust]\nkind = "static"\n${both}`, /give it either/);
    refused('[hyper.trust]\nkind = "static"\npubkey_file = ""', /write the path of a key file$/);
    refused('[hyper.trust]\nkind = "static"\nendpoint = "x"', /with kind static there are kind, /);
    refused('[hyper.trust]\nkind = "registry"', /^endpoint of hyper\.trust in .* is missing; /);
    const secret = '[hyper.trust]\nkind = "registry"\nendpoint = "http://me:s3cret@h"';
    refused(secret, /^endpoint of .* is "http:\/\/…@h"; write an address .* without credentials/);
    const stale = '[hyper.trust]\nkind = "registry"\nendpoint = "http://h"\nallow_stale = 1';
    refused(stale, /^allow_stale of .* is 1; write true or false$/);
  });

  it("takes flags and variables in place of the file", () => {
    const toml = '[hyper.trust]\nkind = "dev_only"';
    const flags = ["--trust-key", base64, "--trust-key", "k.json", "--trust-registry", "http://h"];
    const { trustKeys, trustRegistry } = load(toml, flags);
    assert.deepEqual(trustKeys, [
      { kind: "key", publicKey: key },
      { kind: "key_file", path: join(folder, "k.json") },
    ]);
    const registry = { kind: "registry", endpoint: "http://h", allowStale: false };
    assert.deepEqual(trustRegistry, [registry]);
    const env = { ROOST_TRUST_KEY: `${base64},k.json`, ROOST_TRUST_REGISTRY: "http://h/ais" };
    const told = load(toml, [], env);
    assert.deepEqual([told.trustKeys, told.trustRegistry], [trustKeys, [registry]]);
  });
});
