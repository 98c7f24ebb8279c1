import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { parseLock } from "../../../src/protocol/manifest/lock.ts";
import { roost } from "./support.ts";

const root = mkdtempSync(join(tmpdir(), "roost-deps-"));
after(() => rmSync(root, { recursive: true, force: true }));
let projects = 0;

const proto = (text: string): string => `syntax="proto3";package p;${text}`;
const base = proto("message A{int32 a=1;string b=2;}service S{rpc Do(A)returns(A);}");
const manifest = `[package]
name = "Shop"
manufacturer = "acme"
version = "1.0.0"

# whom we call
[dependencies]
`;

/** A new folder with these files. */
function project(files: Record<string, string> = {}) {
  const folder = join(root, `${++projects}`);
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  for (const [name, text] of Object.entries({ "manifest.toml": manifest, ...files })) {
    write(name, text);
  }
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const deps = (...args: string[]) => roost(["deps", ...args], { cwd: folder });
  return { write, read, deps };
}

/** One with a dependency that is locked to `base`. */
async function locked() {
  const made = project({ "protos/remote/echo/s.proto": base });
  await made.deps("add", "echo", "acme:Echo:1.0.0");
  const { code, err } = await made.deps("lock", "--offline");
  assert.equal(code, 0, err);
  return made;
}

describe("roost deps", () => {
  it("adds, lists and removes what a package calls; the manifest stays as it is written", async () => {
    const { deps, read } = project();
    assert.equal((await deps("ls")).out, "");
    assert.match(
      (await deps("add", "echo", "acme:Echo:1.0.0")).out,
      /^echo {2}acme:Echo:1\.0\.0\n/,
    );
    assert.equal(read("manifest.toml"), `${manifest}echo = { actr_type = "acme:Echo:1.0.0" }\n`);
    assert.equal((await deps("ls")).out, "echo  acme:Echo:1.0.0  not locked");
    await deps("add", "echo", "acme:Echo:2.0.0");
    const json = JSON.parse((await deps("ls", "--json")).out);
    assert.deepEqual(json, {
      dependencies: [{ name: "echo", type: "acme:Echo:2.0.0", fingerprint: null }],
    });
    assert.equal((await deps("rm", "echo")).code, 0);
    assert.equal(read("manifest.toml"), manifest);
  });

  it("locks files that are there, and says of each what became of it", async () => {
    const { deps, read, write } = await locked();
    const [entry] = parseLock(read("manifest.lock.toml")).dependencies;
    assert.deepEqual(
      [entry?.name, entry?.type, entry?.files.map(({ path }) => path)],
      ["echo", "acme:Echo:1.0.0", ["protos/remote/echo/s.proto"]],
    );
    const { service } = JSON.parse(
      (
        await roost(["fingerprint", "--json", "s.proto"], {
          cwd: join(root, `${projects}`, "protos/remote/echo"),
        })
      ).out,
    );
    assert.equal(entry?.fingerprint, service);
    write("manifest.lock.toml", `${read("manifest.lock.toml")}\n[vendor]\nx = 1\n`);
    const again = await deps("lock", "--offline");
    assert.match(again.out, /^echo {2}acme:Echo:1\.0\.0 {2}exact\n {2}service_semantic:/);
    assert.match(read("manifest.lock.toml"), /\[vendor\]\nx = 1/);
    await deps("rm", "echo");
    await deps("lock", "--offline");
    assert.deepEqual(parseLock(read("manifest.lock.toml")).dependencies, []);
  });

  it("tells which dependency broke compatibility and how", async () => {
    const { deps, write } = await locked();
    assert.equal((await deps("check", "--offline")).out, "echo  acme:Echo:1.0.0  exact");
    write("next/s.proto", `${base}\nmessage More{}`);
    write("next/t.proto", proto("message D{}"));
    const more = await deps("check", "echo", "--proto", "next/s.proto", "--proto", "next/t.proto");
    assert.equal(more.code, 0);
    assert.deepEqual(more.out.split("\n"), [
      "echo  acme:Echo:1.0.0  compatible",
      "  s.proto: compatible",
      "  t.proto: added",
    ]);
    write("next/s.proto", proto("message A{int64 a=1;string b=2;}service S{rpc Do(A)returns(A);}"));
    const { code, out } = await deps("check", "echo", "--proto", "next/s.proto");
    assert.equal(code, 1);
    assert.deepEqual(out.split("\n"), [
      "echo  acme:Echo:1.0.0  breaking",
      "  s.proto: breaking",
      "    field 1 of A is int64, and was int32",
    ]);
    const json = JSON.parse((await deps("check", "echo", "--json", "--proto", "next/s.proto")).out);
    assert.deepEqual([json.ok, json.dependencies[0].standing], [false, "breaking"]);
    assert.deepEqual(json.dependencies[0].changes[0].missing, [
      "field 1 of A is int64, and was int32",
    ]);
    const renamed = await deps("check", "echo", "--proto", "next/t.proto");
    assert.match(
      renamed.out,
      /breaking\n {2}s\.proto: removed\n {4}s\.proto is gone\n {2}t\.proto: added$/,
    );
  });

  it("tells what fingerprints alone can tell where the locked files are lost", async () => {
    const { deps, write } = await locked();
    write("protos/remote/echo/s.proto", proto("message Other{}"));
    write("next/s.proto", `${base}\nmessage More{}`);
    const changed = await deps("check", "echo", "--proto", "next/s.proto");
    assert.equal(changed.code, 1);
    assert.match(
      changed.out,
      /unknown\n {2}s\.proto changed; .* without the locked protos\/remote\/echo\/s\.proto: keep/,
    );
    write("next/t.proto", proto("message D{}"));
    const gone = await deps("check", "echo", "--proto", "next/t.proto");
    assert.match(gone.out, /breaking\n {2}s\.proto: removed\n {4}s\.proto is gone/);
  });

  it("fails for what is not locked, or locked as something else, or not there", async () => {
    const { deps, write, read } = await locked();
    await deps("add", "pay", "acme:Pay:1.0.0");
    await deps("add", "echo", "acme:Echo:2.0.0");
    const { code, out } = await deps("check", "--offline");
    assert.equal(code, 1);
    assert.match(
      out,
      /^echo {2}acme:Echo:2\.0\.0 {2}unlocked\n {2}it is locked as acme:Echo:1\.0\.0/,
    );
    assert.match(out, /\npay {2}acme:Pay:1\.0\.0 {2}unlocked\n {2}lock it: roost deps lock$/);
    const before = read("manifest.lock.toml");
    const half = await deps("lock", "--offline");
    assert.equal(half.code, 1);
    assert.match(
      half.err,
      /nothing tells what pay, acme:Pay:1\.0\.0, means; start a node that does, or .*remote\/pay/,
    );
    assert.equal(read("manifest.lock.toml"), before);
    write("protos/remote/pay/pay.proto", proto("message P{}"));
    assert.equal((await deps("lock", "--offline")).code, 0);
    write(
      "manifest.toml",
      read("manifest.toml").replace(
        '"acme:Pay:1.0.0"',
        '"acme:Pay:1.0.0", service = "Pay:semantic:ff"',
      ),
    );
    assert.match(
      (await deps("lock", "pay", "--offline")).err,
      /wants semantic:ff, but there is service_semantic:/,
    );
  });

  it("reads what a manifest inherits, from wherever it is", async () => {
    const { deps, write } = project({
      "base/manifest.toml": `${manifest}echo = { actr_type = "acme:Echo:1.0.0" }\n`,
      "app/manifest.toml": 'inherit = "../base/manifest.toml"\n[package]\nname = "App"\n',
      "loop.toml": 'inherit = "loop.toml"\n',
    });
    const listed = await deps("ls", "--manifest", "app/manifest.toml");
    assert.equal(listed.out, "echo  acme:Echo:1.0.0  not locked");
    assert.match((await deps("ls", "--manifest", "loop.toml")).err, /no more than 8/);
    write("app/manifest.toml", 'inherit = "none.toml"\n');
    assert.equal((await deps("ls", "--manifest", "app/manifest.toml")).code, 2);
  });

  it("names what it is misused with", async () => {
    const { deps } = await locked();
    const cases: [string[], RegExp][] = [
      [["look"], /unknown action look\./],
      [["add", "echo"], /write roost deps add NAME TYPE/],
      [["add", "../x", "acme:Echo:1.0.0"], /NAME is \.\.\/x; it has letters/],
      [["add", "echo", "nonsense"], /manufacturer:name:version/],
      [["ls", "--offline"], /deps ls takes no --offline/],
      [["check", "ecko"], /there is no dependency ecko\. Did you mean echo\?/],
      [["check", "--proto", "none.proto", "echo"], /there is no file none\.proto/],
      [
        ["ls", "--manifest", "none.toml"],
        /there is no .*none\.toml; go to the folder of a package/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await deps(...args);
      assert.notEqual(code, 0, args.join(" "));
      assert.match(err, message);
    }
  });
});
