import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fingerprintOf } from "../../../src/protocol/dependencies.ts";
import { parseActrType } from "../../../src/protocol/ids.ts";
import { lockText, type ManifestLock, parseLock } from "../../../src/protocol/manifest/lock.ts";
import { parseToml } from "../../../src/protocol/manifest/toml_table.ts";

const lock: ManifestLock = {
  generatedAt: "2026-11-21T07:00:00.000Z",
  dependencies: [
    {
      name: "echo",
      type: "acme:Echo:1.0.0",
      fingerprint: "service_semantic:11",
      description: 'says "it" again',
      publishedAt: 1_700_000_000,
      tags: ["latest", "ü"],
      cachedAt: "2026-11-21T07:00:00.000Z",
      files: [{ path: "protos/remote/echo/echo.proto", fingerprint: "semantic:22" }],
    },
    {
      name: "bare",
      type: "acme:Bare:1.0.0",
      fingerprint: "service_semantic:33",
      description: undefined,
      publishedAt: undefined,
      tags: [],
      cachedAt: undefined,
      files: [],
    },
  ],
};

describe("manifest.lock.toml", () => {
  it("is read as it was written", () => {
    const text = lockText(lock);
    assert.match(text, /^# What this package was built against\..*\n\n\[metadata\]\nversion = 1\n/);
    assert.match(text, /\[\[dependency\]\]\nname = "echo"\nactr_type = "acme:Echo:1\.0\.0"\n/);
    assert.match(text, /\[\[dependency\.files\]\]\npath = "protos\/remote\/echo\/echo\.proto"\n/);
    assert.deepEqual(parseLock(text), lock);
    assert.equal(lockText(parseLock(text), text), text);
  });

  it("gives a node its dependencies as they are", () => {
    const { dependencies } = parseLock(lockText(lock));
    const type = parseActrType("acme:Echo:1.0.0");
    assert.equal(fingerprintOf(dependencies, type), "service_semantic:11");
  });

  it("keeps what other tools wrote there, and no comments", () => {
    const before = `# gone
more = 1
big = 9223372036854775807
[metadata]
version = 1
by = "actr 0.5"
at = 2026-01-01T00:00:00Z
[other.deep]
list = [{ a = 1.5 }]
[[dependency]]
name = "echo"
actr_type = "acme:Echo:0.9.0"
fingerprint = "old"
description = "old"
checksum = "c"
[[dependency.files]]
path = "protos/remote/echo/echo.proto"
fingerprint = "old"
size = 3
[[dependency]]
name = "left"
actr_type = "x:Y:1"
fingerprint = "z"
`;
    const [echo, bare] = lock.dependencies;
    assert.ok(echo && bare);
    const text = lockText({ dependencies: [{ ...echo, description: undefined }, bare] }, before);
    assert.equal(text.includes("gone") || text.includes("old"), false);
    const document = JSON.parse(
      JSON.stringify(parseToml(text, ""), (_, value) =>
        typeof value === "bigint" ? `${value}` : value,
      ),
    );
    assert.deepEqual([document.more, document.big], [1, "9223372036854775807"]);
    assert.deepEqual(document.metadata, {
      version: 1,
      by: "actr 0.5",
      at: "2026-01-01T00:00:00.000Z",
    });
    assert.deepEqual(document.other, { deep: { list: [{ a: 1.5 }] } });
    assert.deepEqual(
      document.dependency.map(({ name, checksum, files }: Record<string, unknown>) => [
        name,
        checksum,
        files,
      ]),
      [
        [
          "echo",
          "c",
          [{ path: "protos/remote/echo/echo.proto", fingerprint: "semantic:22", size: 3 }],
        ],
        ["bare", undefined, []],
      ],
    );
  });

  it("is read from other tools: times of TOML, old types, nothing but what it must have", () => {
    const text = `[metadata]\ngenerated_at = 2026-01-01T00:00:00Z
[[dependency]]\nname = "a"\nactr_type = "acme+Echo"\nfingerprint = "f"\ncached_at = 2026-01-02T00:00:00+01:00`;
    const { generatedAt, dependencies } = parseLock(text);
    assert.equal(generatedAt, "2026-01-01T00:00:00.000Z");
    assert.deepEqual([dependencies[0]?.type, dependencies[0]?.files], ["acme+Echo", []]);
    assert.deepEqual(parseLock("").dependencies, []);
  });

  it("is refused by file, key, value and mend", () => {
    const entry = '[[dependency]]\nname="a"\nactr_type="m:n:1"\n';
    const cases: [string, RegExp][] = [
      ["[metadata]\nversion = 2", /^metadata\.version in l is 2; .* from 1 to 1$/],
      ["dependency = 1", /^dependency in l is 1; it must be a list of tables: \[\[dependency\]\]$/],
      [entry, /^dependency\[0\]\.fingerprint in l is missing; add it$/],
      [`${entry}fingerprint = 7`, /^dependency\[0\]\.fingerprint in l is 7; it must be a text$/],
      [
        `${entry}fingerprint = "f"\n[[dependency.files]]\npath = "x"`,
        /^dependency\[0\]\.files\[0\]\.fingerprint in l is missing/,
      ],
    ];
    for (const [text, message] of cases) {
      assert.throws(() => parseLock(text, "l"), { code: "config", message });
    }
  });
});
