import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { AppFolder, type End, Roost } from "./cli_process.ts";
import { Running } from "./rendezvous_server.ts";

/** What a command printed as JSON, which must have succeeded. */
function told({ code, out, err }: End): Record<string, unknown> {
  assert.deepEqual([code, err], [0, ""]);
  return JSON.parse(out) as Record<string, unknown>;
}

describe("packages from the shell", { timeout: 240_000 }, () => {
  it("are made on one runtime, published by another, and verified by the third as the rendezvous says", async () => {
    using folder = new AppFolder();
    const at = (name: string): string => join(folder.path, name);
    folder.write("echo.js", "export default {};");
    folder.write(
      "manifest.toml",
      '[package]\nmanufacturer="acme"\nname="Echo"\nversion="1.0.0"\n[binary]\npath="echo.js"\n',
    );
    const { publicKey, keyId } = told(await Roost.run("bun", "keys", at("key.json"), "--json"));
    const flags = [folder.path, "--key", at("key.json"), "--json"];
    const { file, signingKeyId } = told(await Roost.run("deno", "pack", ...flags));
    const name = "acme-Echo-1.0.0-roost-script.actr";
    assert.deepEqual([file, signingKeyId], [at(`dist/${name}`), keyId]);

    const manufacturers = [{ name: "acme", keys: [String(publicKey)] }];
    await using rendezvous = await Running.start(new MemoryStore(), { manufacturers });
    const there = ["--identity", `${rendezvous.base}/ais`, "--key", at("key.json"), "--json"];
    const published = told(await Roost.run("node", "publish", String(file), ...there));
    const status = { type: "acme:Echo:1.0.0", target: "roost-script", status: "active" };
    assert.deepEqual(published, status);
    const registry = ["--trust-registry", rendezvous.base, "--json"];
    const verified = told(await Roost.run("bun", "verify", String(file), ...registry));
    assert.deepEqual([verified["verified"], verified["keyId"]], [true, keyId]);
    const again = await Roost.run("deno", "publish", String(file), ...there);
    assert.deepEqual([again.code, again.out], [1, ""]);
    assert.match(again.err, /raise the version/);
  });
});
