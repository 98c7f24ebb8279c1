import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { defineNode } from "@roost/edge";
import { packagedApp } from "../../../src/cli/deps/packaged_app.ts";

const manifest = `[package]
name = "Shop"
manufacturer = "acme"
version = "1.2.0"
description = "sells"
tags = ["stable"]
`;
const lock = `[[dependency]]
name = "echo"
actr_type = "acme:Echo:1.0.0"
fingerprint = "service_semantic:11"
`;

describe("an app beside a manifest", () => {
  const folder = mkdtempSync(join(tmpdir(), "roost-packaged-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const app = defineNode({});

  it("is what it was without one", async () => {
    assert.equal(await packagedApp(app, folder), app);
  });

  it("is what the manifest says, and depends on what the lock says, unless it says so itself", async () => {
    write("manifest.toml", manifest);
    const plain = await packagedApp(app, folder);
    assert.equal(plain.type, "acme:Shop:1.2.0");
    assert.deepEqual(plain.spec, { name: "Shop", description: "sells", tags: ["stable"] });
    assert.equal("dependencies" in plain, false);
    write("manifest.lock.toml", lock);
    const [dependency] = (await packagedApp(app, folder)).dependencies ?? [];
    assert.deepEqual(
      [dependency?.type, dependency?.fingerprint],
      ["acme:Echo:1.0.0", "service_semantic:11"],
    );
    const own = { ...app, type: "me:Me:1.0.0", spec: false, dependencies: [] } as const;
    assert.deepEqual(await packagedApp(own, folder), own);
  });

  it("has no type of a manifest without a version, and is refused beside one that cannot be meant", async () => {
    write("manifest.toml", manifest.replace('"1.2.0"', '""'));
    assert.equal("type" in (await packagedApp(app, folder)), false);
    write("manifest.toml", manifest.replace('"acme"', "7"));
    await assert.rejects(packagedApp(app, folder), {
      code: "config",
      message: /^package\.manufacturer in .*manifest\.toml is 7; it must be a text$/,
    });
  });
});
