import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differences, readManifests } from "./exports.ts";

describe("manifests", () => {
  it("offer the same on npm and JSR", () => {
    assert.deepEqual(differences(readManifests()), []);
  });

  it("offer the same names in browsers", async () => {
    const [page, process] = [
      import("../../adapters/browser/client.ts"),
      import("@roost/edge/client"),
    ];
    assert.deepEqual(Object.keys(await page), Object.keys(await process));
  });

  it("are told apart where they differ", () => {
    const manifests = readManifests();
    manifests.jsr.version = "0.0.0";
    manifests.jsr.exports["./extra"] = "./src/extra.ts";
    manifests.npm.exports["./client"] = {};
    const found = differences(manifests).join("\n");
    assert.match(found, /version: .* is not 0\.0\.0/);
    assert.match(found, /code of \.\/extra/);
    assert.match(found, /code for browsers of \.\/client/);
    assert.match(found, /entry points/);
  });
});
