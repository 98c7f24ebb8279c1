import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { announcedService } from "../../../src/cli/deps/announced.ts";
import { dropFiles, keepFiles, keptPath, meantFiles } from "../../../src/cli/deps/kept_files.ts";
import { ActrError } from "../../../src/errors.ts";
import { serviceFingerprint } from "../../../src/protocol/fingerprint/fingerprint.ts";
import { parseActrType } from "../../../src/protocol/ids.ts";
import type { ServiceDescription } from "../../../src/signaling/answers.ts";
import { never } from "../identity/support.ts";

const type = parseActrType("acme:Echo:1.0.0");
const content = 'syntax="proto3";message A{}';
const fingerprint = await serviceFingerprint(await meantFiles([{ name: "a.proto", content }]));
const good: ServiceDescription = {
  name: "Echo",
  fingerprint,
  files: [{ name: "a.proto", content, fingerprint: "semantic:00" }],
  tags: [],
};

/** What is made of a server that lists and describes so. */
const found = (listed: string, described: ServiceDescription | ActrError) => {
  const asked: string[] = [];
  const peer = {
    types: async () => [{ type, name: "acme:Echo", fingerprint: listed, tags: [] }],
    description: async (name: string) => {
      asked.push(name);
      if (described instanceof Error) throw described;
      return described;
    },
  };
  const ask = (service?: string) =>
    announcedService(
      peer,
      {
        type,
        service: service === undefined ? undefined : { name: service, fingerprint: undefined },
      },
      never,
    );
  return { asked, ask };
};

describe("what nodes announce", () => {
  it("is asked for by the name of the type, or of the service that the manifest names", async () => {
    const { asked, ask } = found(fingerprint, good);
    assert.deepEqual((await ask())?.sources, good.files);
    await ask("EchoService");
    assert.deepEqual(asked, ["Echo", "EchoService"]);
  });

  it("is not believed where files do not mean what is said of them, nor where it is another version's", async () => {
    const lie = {
      ...good,
      files: [
        { ...good.files[0], name: "a.proto", content: 'syntax="proto3";message B{}', fingerprint },
      ],
    };
    const noSource = { ...good, files: [{ name: "a.proto", content: "message {", fingerprint }] };
    const other = { ...good, fingerprint: "service_semantic:00" };
    for (const described of [lie, noSource, other, { ...good, files: [] }]) {
      const service = await found(fingerprint, described).ask();
      assert.deepEqual(
        [service?.fingerprint, service?.sources, service?.files],
        [fingerprint, [], []],
      );
    }
  });

  it("may be nothing; what cannot be asked is an error", async () => {
    const nobody = found("", new ActrError("not_found", "no such description"));
    assert.deepEqual([(await nobody.ask())?.fingerprint, (await nobody.ask())?.files], ["", []]);
    await assert.rejects(found("", new ActrError("unavailable", "gone")).ask(), {
      code: "unavailable",
    });
    const unlisted = { types: async () => [], description: async () => good };
    assert.equal(await announcedService(unlisted, { type, service: undefined }, never), undefined);
  });

  it("is kept below its own folder, whatever its files are called", () => {
    assert.equal(keptPath("echo", "deep/a.proto"), "protos/remote/echo/deep/a.proto");
    const names = [
      "../a.proto",
      "/etc/a.proto",
      "a/../../b.proto",
      "a\\b.proto",
      "a",
      "",
      ".proto",
      "a\0.proto",
      "C:a.proto",
    ];
    for (const name of [...names, `${"a/".repeat(9)}b.proto`, `${"a".repeat(200)}.proto`]) {
      assert.throws(() => keptPath("echo", name), { code: "invalid_argument" }, name);
    }
    assert.throws(() => keptPath("..", "a.proto"), { code: "invalid_argument" });
  });

  it("and what it had before is deleted there alone, whatever a lock says", async () => {
    const folder = mkdtempSync(join(tmpdir(), "roost-kept-"));
    const source = (name: string) => ({ name, content });
    writeFileSync(join(folder, "mine.proto"), "");
    await keepFiles(folder, "echo", [source("a.proto"), source("b.proto")]);
    const paths = ["protos/remote/echo/a.proto", "protos/remote/echo/b.proto", "mine.proto"];
    const files = [...paths, "protos/remote/echo/../../../mine.proto"].map((path) => ({
      path,
      fingerprint,
    }));
    const before = { name: "echo", type: "acme:Echo:1.0.0", fingerprint, tags: [], files };
    await dropFiles(folder, before, [source("b.proto")]);
    assert.deepEqual(readdirSync(join(folder, "protos/remote/echo")), ["b.proto"]);
    assert.deepEqual(readdirSync(folder).sort(), ["mine.proto", "protos"]);
    rmSync(folder, { recursive: true });
  });
});
