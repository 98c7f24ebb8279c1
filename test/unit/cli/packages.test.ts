import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openPackage } from "../../../src/guest/package/open_package.ts";
import { staticTrust } from "../../../src/guest/trust/static_trust.ts";
import { fromBase64, fromHex } from "../../../src/protocol/bytes.ts";
import { type Outcome, roost } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "roost-packages-"));
const cwd = join(folder, "work");
const env = { HOME: folder };
const component = fromHex("0061736d0d000100") ?? new Uint8Array();
const script = "export default {};";
const stem = "acme-Echo-1.0.0-wasm32-wasip2";

const run = (...args: string[]): Promise<Outcome> => roost(args, { cwd, env });

/** Runs what must succeed; the JSON that it prints. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await run(...args, "--json");
  assert.deepEqual([code, err], [0, ""]);
  return JSON.parse(out) as Record<string, unknown>;
}

async function fails(message: RegExp, code: number, ...args: string[]): Promise<void> {
  const outcome = await run(...args);
  assert.match(outcome.err, message);
  assert.deepEqual([outcome.code, outcome.out], [code, ""]);
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(cwd, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const read = (name: string): string => readFileSync(join(cwd, name), "utf8");

const project = `[package]
manufacturer = "acme"
name = "Echo"
version = "1.0.0"
description = "says it again"
license = "MIT"
exports = ["protos/echo.proto"]
[binary]
path = "out/echo.wasm"
`;

describe("roost keys, pack, sign, verify, inspect", () => {
  let publicKey = "";

  before(async () => {
    write("manifest.toml", project);
    write("out/echo.wasm", component);
    write("protos/echo.proto", 'syntax = "proto3";');
    write("echo.js", script);
    publicKey = String((await json("keys"))["publicKey"]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("keys makes a file for its owner alone, where Actr's tools look, and never makes it again", async () => {
    const file = join(folder, ".actr/dev-key.json");
    const text = readFileSync(file, "utf8");
    assert.deepEqual(Object.keys(JSON.parse(text)).slice(0, 3), [
      "private_key",
      "public_key",
      "created_at",
    ]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await fails(/dev-key\.json exists already; a key that is lost cannot be made again/, 1, "keys");
    assert.equal(readFileSync(file, "utf8"), text);

    const { out } = await run("keys", "--public");
    assert.equal(JSON.parse(out).public_key, publicKey);
    const made = await run("keys", "other.json");
    assert.match(made.out, /^.*other\.json {2}mfr-[0-9a-f]{16}\n {2}public key {2}\S+=\n {2}Keep/);
    assert.ok(!made.out.includes(JSON.parse(read("other.json")).private_key));
    await fails(
      /cannot read the key file .*none\.json: there is no such/,
      1,
      "keys",
      "none.json",
      "--public",
    );
  });

  it("pack makes a package of a folder, which verify accepts under its key and no other", async () => {
    const packed = await json("pack");
    const file = join(cwd, "dist", `${stem}.actr`);
    assert.deepEqual([packed["file"], packed["size"]], [file, statSync(file).size]);
    const verified = await json("verify", file, "--trust-key", publicKey);
    const { verified: holds, keyId, ...summary } = verified;
    assert.deepEqual([holds, keyId], [true, summary["signingKeyId"]]);
    assert.deepEqual({ ...packed, ...summary }, packed);
    const { type, target, kind, protos, resources, lockFile, description, license } = summary;
    assert.deepEqual([type, target, kind], ["acme:Echo:1.0.0", "wasm32-wasip2", "component"]);
    assert.deepEqual([protos, resources, lockFile], [["echo.proto"], [], false]);
    assert.deepEqual([description, license], ["says it again", "MIT"]);

    const text = await run("verify", file, "--trust-key", publicKey);
    assert.match(text.out, new RegExp(`is whole, and signed with ${keyId}\n {2}type {7}acme:Echo`));
    await run("keys", "stranger.json");
    const wrong =
      /^roost: permission_denied: the manifest is not signed as it stands .*; it was changed/;
    await fails(wrong, 1, "verify", file, "--trust-key", "stranger.json");
    await fails(/^roost: config: nothing says who may sign packages; /, 1, "verify", file);
    await fails(
      /^roost: there is no package none\.actr/,
      2,
      "verify",
      "none.actr",
      "--trust-key",
      publicKey,
    );
    const stretched = write(
      "changed.actr",
      readFileSync(file).map((byte, at) => (at === 60 ? byte ^ 1 : byte)),
    );
    assert.equal((await run("verify", stretched, "--trust-key", publicKey)).code, 1);
  });

  it("verify trusts whom actr.toml names", async () => {
    await json("pack", "--out", "a.actr");
    const config = write(
      "trust.toml",
      `[[trust]]\nkind = "static"\npubkey_file = "../.actr/dev-key.json"`,
    );
    await json("verify", "a.actr", "--config", config);
    write("trust.toml", '[hyper.trust]\nkind = "dev_only"');
    await fails(
      /no package is accepted where nobody is trusted/,
      1,
      "verify",
      "a.actr",
      "--config",
      config,
    );
  });

  it("pack takes flags alone, or in place of the manifest", async () => {
    const flags = ["--type", "acme:Script:2.0.0", "--binary", "../echo.js", "--out", "../s.actr"];
    const more = ["--description", "d", "--license", "l", "--key", "../../.actr/dev-key.json"];
    write("empty/x", "");
    const outcome = await roost(["pack", ...flags, ...more, "--json"], {
      cwd: join(cwd, "empty"),
      env,
    });
    assert.equal(outcome.err, "");
    const told = JSON.parse(outcome.out);
    assert.deepEqual(
      [told.type, told.target, told.kind],
      ["acme:Script:2.0.0", "roost-script", null],
    );
    assert.deepEqual([told.description, told.license, told.protos], ["d", "l", []]);

    write("lock.toml", "[metadata]\nversion = 1\n");
    write("web/a.txt", "a");
    write("web/deep/b.txt", "b");
    const over = ["--proto", "protos/echo.proto", "--lock", "lock.toml", "--resource", "web"];
    const named = ["--resource", "resources/glue.js=echo.js", "--out", "over.actr"];
    await json("pack", "--type", "acme:Other:1.0.0", ...over, ...named);
    const bytes = readFileSync(join(cwd, "over.actr"));
    const trust = staticTrust(fromBase64(publicKey) ?? new Uint8Array());
    const { manifest, resources, lockFile } = await trust.verify(bytes, {});
    assert.equal(manifest.name, "Other");
    assert.deepEqual(
      [...resources.keys()],
      ["resources/a.txt", "resources/deep/b.txt", "resources/glue.js"],
    );
    assert.equal(new TextDecoder().decode(lockFile), read("lock.toml"));
  });

  it("[GD-18] sign writes what pack signs, into a folder of its own, and no manifest of a project", async () => {
    await json("pack");
    const told = await json("sign");
    assert.equal(told["manifest"], join(cwd, "dist", stem, "manifest.toml"));
    const { manifest, signature } = await packedManifest(`dist/${stem}.actr`);
    assert.deepEqual(new Uint8Array(readFileSync(String(told["manifest"]))), manifest);
    assert.deepEqual(new Uint8Array(readFileSync(String(told["signature"]))), signature);
    assert.equal(read("manifest.toml"), project);
    const kept = /manifest\.toml is the manifest of a project, which is kept; name another folder/;
    await fails(kept, 1, "sign", "--out", ".");
    assert.equal(read("manifest.toml"), project);
    assert.equal(existsSync(join(cwd, "manifest.sig")), false);
    const again = await run("sign", "--out", `dist/${stem}`);
    assert.match(again.out, /^.*manifest\.toml\n.*manifest\.sig\n {2}type/);
  });

  it("[GD-19] two protos of one name are refused, and so is what cannot be read", async () => {
    write("other/echo.proto", "");
    const protos = ["--proto", "protos/echo.proto", "--proto", "other/echo.proto"];
    for (const command of ["pack", "sign"]) {
      await fails(/echo\.proto would be a second echo\.proto; rename it/, 1, command, ...protos);
      const unread = /cannot read the proto .*none\.proto: there is no such file/;
      await fails(unread, 1, command, "--proto", "none.proto");
    }
    await fails(/cannot read the resource .*none/, 1, "pack", "--resource", "none");
    await fails(/^roost: there is no folder none; name the one/, 2, "pack", "none");
    await fails(/cannot read the lock .*none/, 1, "pack", "--lock", "none");
  });

  it("inspect shows what is in a package, without a word on whether it is so", async () => {
    await json("pack", "--out", "i.actr");
    const told = await json("inspect", "i.actr");
    assert.deepEqual([told["verified"], told["type"]], [false, "acme:Echo:1.0.0"]);
    const entries = told["entries"] as { name: string; size: number }[];
    const names = ["manifest.toml", "manifest.sig", "bin/actor.wasm", "proto/echo.proto"];
    assert.deepEqual(
      entries.map(({ name }) => name),
      names,
    );
    assert.equal(entries[1]?.size, 64);
    const { out } = await run("inspect", "i.actr");
    assert.match(out, /^i\.actr says of itself, unproven \(roost verify\):\n {2}type/);
    await fails(/^roost: /, 1, "inspect", "echo.js");
  });

  it("a package needs a type, a version, a binary, a key", async () => {
    const bare = (...args: string[]) => roost(["pack", ...args], { cwd: join(cwd, "empty"), env });
    assert.match((await bare()).err, /nothing says what the package runs; name --binary/);
    assert.match(
      (await bare("--binary", "../echo.js")).err,
      /nothing says what the package is; write/,
    );
    write("v/manifest.toml", '[package]\nname="A"\nmanufacturer="m"\n[binary]\npath="../echo.js"');
    await fails(/^roost: config: the package has no version/, 1, "pack", "v");
    await fails(
      /^roost: config: cannot read the key file .*make one: roost keys/,
      1,
      "pack",
      "--key",
      "no.json",
    );
    await fails(/cannot read the binary .*no\.wasm/, 1, "pack", "--binary", "no.wasm");
    await fails(
      /is one for wasm32-wasip2; leave the target out/,
      1,
      "pack",
      "--target",
      "roost-script",
    );
  });
});

/** The signed manifest in a package. */
async function packedManifest(
  name: string,
): Promise<{ manifest: Uint8Array; signature: Uint8Array }> {
  const { manifestBytes, signature } = await openPackage(readFileSync(join(cwd, name)));
  return { manifest: manifestBytes, signature };
}
