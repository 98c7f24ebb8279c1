import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inherited, type Manifest, readManifest } from "../../../src/protocol/manifest/manifest.ts";
import { parseToml } from "../../../src/protocol/manifest/toml_table.ts";

const full = `
edition = 1
[package]
name = "Shop"
manufacturer = "acme"
version = "1.2.0"
description = "sells"
license = "MIT"
authors = ["A <a@x>"]
tags = ["latest"]
exports = ["protos/shop.proto"]
[dependencies]
echo = { actr_type = "acme:EchoService:1.0.0", service = "EchoService:service_semantic:00", realm = 7 }
later = {}
[acl]
rules = [{ permission = "allow", type = "acme:Client:1.0.0" }]
[binary]
path = "out/shop.wasm"
target = "wasm32-wasip2"
[unknown.deep]
a = 1
`;

const parseManifest = (text: string, file = "manifest.toml"): Manifest =>
  readManifest(parseToml(text, file), file);

const wrong = (text: string, message: RegExp, details: object): void => {
  assert.throws(() => parseManifest(text, "some/manifest.toml"), {
    code: "config",
    message,
    details,
  });
};

const head = '[package]\nname="A"\nmanufacturer="m"\n';

describe("manifest.toml", () => {
  it("says what a package is, serves and calls; other tools' sections do not matter", () => {
    const manifest = parseManifest(full);
    const { dependencies, ...rest } = manifest;
    assert.deepEqual(rest, {
      type: { manufacturer: "acme", name: "Shop", version: "1.2.0" },
      description: "sells",
      license: "MIT",
      authors: ["A <a@x>"],
      tags: ["latest"],
      exports: ["protos/shop.proto"],
      binary: { path: "out/shop.wasm", target: "wasm32-wasip2" },
    });
    assert.deepEqual(dependencies, [
      {
        alias: "echo",
        type: { manufacturer: "acme", name: "EchoService", version: "1.0.0" },
        service: { name: "EchoService", fingerprint: "service_semantic:00" },
        realm: 7,
      },
      { alias: "later", type: undefined, service: undefined, realm: undefined },
    ]);
  });

  it("may have an empty version, exports at the top, and nothing else", () => {
    const manifest = parseManifest(`exports = ["a.proto"]\n${head}`);
    assert.deepEqual(manifest.type, { manufacturer: "m", name: "A", version: "" });
    assert.deepEqual([manifest.exports, manifest.dependencies], [["a.proto"], []]);
    assert.equal(manifest.binary, undefined);
  });

  it("is refused by file, key, value and mend", () => {
    const file = "some/manifest.toml";
    wrong("", /^package in some\/manifest\.toml is missing; add it$/, { file, key: "package" });
    wrong("package = 1", /^package in .* is 1; it must be a table: \[package\]$/, {
      ...{ file, key: "package", value: 1 },
    });
    wrong('[package]\nname="A"', /^package\.manufacturer in .* is missing/, {
      ...{ file, key: "package.manufacturer" },
    });
    wrong(`${head}tags = [1]`, /^package\.tags in .* is \[1\]; it must be a list of texts$/, {
      ...{ file, key: "package.tags", value: [1] },
    });
    wrong(`${head}version = "1:2"`, /^package\.version in .* is "1:2"; that is no part of a type/, {
      ...{ file, key: "package.version", value: "1:2" },
    });
    wrong('[package]\nname="-A"\nmanufacturer="m"', /^package\.name in .* is "-A"/, {
      ...{ file, key: "package.name", value: "-A" },
    });
    const dependency = (text: string) => `${head}[dependencies]\necho = ${text}`;
    wrong(dependency('"x"'), /^dependencies\.echo in .* is "x"; it must be a table/, {
      ...{ file, key: "dependencies.echo", value: "x" },
    });
    wrong(dependency('{ actr_type = "x" }'), /write manufacturer:name:version$/, {
      ...{ file, key: "dependencies.echo.actr_type", value: "x" },
    });
    wrong(
      dependency("{ realm = -1 }"),
      /^dependencies\.echo\.realm in .* is -1; .* 0 to 4294967295$/,
      {
        ...{ file, key: "dependencies.echo.realm", value: -1 },
      },
    );
    assert.throws(() => parseManifest("a = 1\nb = ", "x.toml"), {
      code: "config",
      message: /^x\.toml, line 2: /,
    });
  });

  it("inherits what it does not say itself, but no access rules where it has some", () => {
    const base = parseToml(
      '[package]\nname="B"\nmanufacturer="m"\nversion="1"\ntags=["x"]\n[dependencies]\na={}\n[acl]\nrules=[]\nmore=1',
      "base",
    );
    const own = parseToml(
      '[package]\nname="C"\ntags=["y"]\n[dependencies]\nb={}\n[acl]\nrules=[1]',
      "own",
    );
    const joined = inherited(base, own);
    const { type, tags, dependencies } = readManifest(joined, "own");
    assert.deepEqual(type, { manufacturer: "m", name: "C", version: "1" });
    assert.deepEqual([tags, dependencies.map(({ alias }) => alias)], [["y"], ["a", "b"]]);
    assert.deepEqual(JSON.stringify(joined["acl"]), '{"rules":[1]}');
  });
});
