import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import vectors from "../../vectors/fingerprints.json" with { type: "json" };
import { roost } from "./support.ts";

const proto = (text: string): string => `syntax="proto3";package p;${text}`;
const base = proto(
  "message A{int32 a=1;string b=2;}message B{}service S{rpc Do(A)returns(B);rpc Go(A)returns(B);}",
);

describe("roost fingerprint", () => {
  const folder = mkdtempSync(join(tmpdir(), "roost-fingerprint-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): string => {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
    return name;
  };
  const run = (...args: string[]) => roost(["fingerprint", ...args], { cwd: folder });
  write("old/s.proto", base);

  it("tells what files mean, by themselves and together", async () => {
    const { files, service } = vectors.multi_file;
    const names = files.map((each) => write(each.file, each.proto));
    const { code, out } = await run(...names);
    assert.equal(code, 0);
    const lines = files.map((each) => `${each.file}  ${each.semantic}`);
    assert.deepEqual(out.split("\n"), [...lines, service]);
    const json = JSON.parse((await run("--json", ...names)).out);
    assert.deepEqual([json.service, json.changes], [service, []]);
  });

  it("tells a file that is not there from one that cannot be read", async () => {
    assert.match((await run("none.proto")).err, /^roost: there is no file none\.proto$/);
    assert.match((await run("old")).err, /^roost: storage: cannot read .*old: EISDIR/);
  });

  it("says that a service with more in it is compatible", async () => {
    write("s.proto", `${base}\nmessage C{}`);
    const added = write("t.proto", proto("message D{}"));
    const { code, out } = await run("s.proto", added, "--before", "old/s.proto");
    assert.equal(code, 0);
    assert.match(out, /\ns\.proto: compatible\nt\.proto: added$/);
    assert.match((await run("old/s.proto", "--before", "old/s.proto")).out, /s\.proto: same$/);
  });

  it("says what callers of the old one miss, and fails", async () => {
    const fewer = proto("message A{int64 a=1;}service S{rpc Do(A)returns(A);}");
    const { code, out } = await run(write("s.proto", fewer), "--before", "old/s.proto");
    assert.equal(code, 1);
    assert.deepEqual(out.split("\n").slice(2), [
      "s.proto: breaking",
      "  field 1 of A is int64, and was int32",
      "  field 2 of A, which was string, is gone",
      "  message B is gone",
      "  method S.Do, from .p.A to .p.B, is gone",
      "  method S.Go, from .p.A to .p.B, is gone",
    ]);
    const otherInput = base.replace("rpc Go(A)", "rpc Go(B)");
    const moved = await run(write("s.proto", otherInput), "--before", "old/s.proto");
    assert.match(
      moved.out,
      /s\.proto: breaking\n {2}method S\.Go, from \.p\.A to \.p\.B, is gone$/,
    );
    const removed = await run(write("u.proto", fewer), "--before", "old/s.proto");
    assert.equal(removed.code, 1);
    assert.match(removed.out, /s\.proto: removed\n {2}s\.proto is gone\nu\.proto: added/);
  });

  it("refuses files that are not there, or mean nothing by themselves", async () => {
    assert.deepEqual(await run("none.proto").then(({ code }) => code), 2);
    const { code, err } = await run(write("v.proto", proto("message A{q.Q a=1;}")));
    assert.equal(code, 1);
    assert.match(err, /v\.proto uses \.q\.Q of another file/);
  });
});
