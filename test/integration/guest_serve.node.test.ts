import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect } from "@roost/edge/client";
import { packPackage } from "../../src/guest/package/pack.ts";
import { toBase64, utf8 } from "../../src/protocol/bytes.ts";
import { importSigningKey } from "../../src/protocol/signing_key.ts";
import { guestComponent } from "../fixtures/guests/guest_component.ts";
import { Roost, runtimes } from "./cli_process.ts";

const limit = { timeout: 120_000 };
const seed = new Uint8Array(32).fill(5);

describe("roost serve --package", () => {
  const folder = mkdtempSync(join(tmpdir(), "roost-guest-"));
  const file = join(folder, "echo.actr");
  const key = join(folder, "key.json");
  let publicKey = "";

  before(async () => {
    const pair = await importSigningKey(seed);
    publicKey = toBase64(pair.publicKey);
    const type = { manufacturer: "acme", name: "echo", version: "1.0.0" };
    const binary = await guestComponent("echo");
    writeFileSync(file, await packPackage({ type, binary, target: "wasm32-wasip2" }, pair));
    const content = { private_key: toBase64(seed), public_key: publicKey };
    writeFileSync(key, JSON.stringify(content));
    const config = `[package]\npath = "echo.actr"\n[[trust]]\nkind = "static"\npubkey_b64 = "${publicKey}"\n`;
    writeFileSync(join(folder, "actr.toml"), config);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const runtime of runtimes) {
    it(`runs a package that is trusted, on ${runtime}`, limit, async () => {
      const flags = ["--package", file, "--trust-key", key, "--guest-memory", "8"];
      const config = ["--config", join(folder, "actr.toml"), "--isolation", "inline"];
      const args = runtime === "node" ? config : flags;
      const store = ["--store", ":memory:", "--port", "0", "--json"];
      await using process = new Roost(runtime, ["serve", ...args, ...store]);
      const { health } = await process.addresses();
      await using peer = await connect(new URL(health).origin);
      const [found] = await peer.context.discover("acme:echo:1.0.0");
      assert.ok(found);
      const options = { timeoutMs: 30_000 };
      const answer = await peer.context.call(found, "any.Route", utf8("hello"), options);
      assert.equal(new TextDecoder().decode(answer), "hello");
    });
  }

  it("names what keeps a package from being served", limit, async () => {
    const other = toBase64((await importSigningKey(new Uint8Array(32).fill(6))).publicKey);
    const serve = (...args: string[]) =>
      Roost.run("node", "serve", "--port", "0", "--store", ":memory:", ...args);
    const untrusted = await serve("--package", file, "--trust-key", other);
    assert.deepEqual([untrusted.code, untrusted.out], [1, ""]);
    assert.match(untrusted.err, /permission_denied: .*not signed/);
    const isolation = await serve("--package", file, "--trust-key", key, "--isolation", "none");
    assert.equal(isolation.code, 2);
    assert.match(isolation.err, /--isolation is "none"; write worker or inline/);
  });
});
