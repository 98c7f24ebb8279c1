import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readZipEntry } from "../../../src/guest/package/zip/read_entry.ts";
import { writeZip } from "../../../src/guest/package/zip/write_zip.ts";
import { readZipDirectory } from "../../../src/guest/package/zip/zip_directory.ts";
import { concatBytes, utf8 } from "../../../src/protocol/bytes.ts";
import { crc32 } from "../../../src/protocol/crc32.ts";
import {
  type CraftedEnd,
  type CraftedEntry,
  craftZip,
  numbers,
  refused as refusedBy,
} from "./package_world.ts";

const a: CraftedEntry = { name: "a", content: utf8("first") };
const b: CraftedEntry = { name: "b", content: utf8("second") };

function refused(entries: readonly CraftedEntry[], says: RegExp, end?: CraftedEnd): Promise<void> {
  return refusedBytes(craftZip(entries, end), says);
}

function refusedBytes(bytes: Uint8Array, says: RegExp): Promise<void> {
  return refusedBy(
    Promise.resolve().then(() => readZipDirectory(bytes)),
    "zip_error",
    { says },
  );
}

describe("an archive", () => {
  it("is read in any order, packed or not, with folders and what follows the data", async () => {
    const following = { flags: 0x0808 };
    const none = { crc: 0, packedSize: 0, size: 0 };
    const files = readZipDirectory(
      craftZip(
        [
          { ...b, deflate: true },
          { name: "folder/", content: new Uint8Array() },
          { name: "folder/ü", content: utf8("third"), both: following, local: none },
          { ...a, both: { flags: 0 }, extra: numbers([2, 0x5455], [2, 1], [2, 0]).subarray(0, 5) },
        ],
        { gap: new Uint8Array(9) },
      ),
    );
    assert.deepEqual([...files.keys()], ["b", "folder/", "folder/ü", "a"]);
    const read = async (name: string): Promise<string> =>
      new TextDecoder().decode(await readZipEntry(files.get(name) ?? assert.fail()));
    assert.deepEqual(
      [await read("a"), await read("b"), await read("folder/ü")],
      ["first", "second", "third"],
    );
  });

  it("is read where it lies in other memory", async () => {
    const zip = writeZip([["a", utf8("first")]]);
    const within = concatBytes([utf8("before"), zip, utf8("behind")]);
    const files = readZipDirectory(within.subarray(6, 6 + zip.length));
    assert.deepEqual(await readZipEntry(files.get("a") ?? assert.fail()), utf8("first"));
  });

  it("has the checksums that all tools write", () => {
    assert.equal(crc32(utf8("123456789")), 0xcbf43926);
    assert.equal(crc32(new Uint8Array()), 0);
  });

  it("has names of up to 1,024 characters", () => {
    const name = "x".repeat(1024);
    assert.ok(readZipDirectory(craftZip([{ ...a, name }])).has(name));
  });

  it("may be empty", () => {
    assert.equal(readZipDirectory(writeZip([])).size, 0);
  });

  it("[GD-6] has each name once", () => refused([a, b, a], /"a" is there twice/));

  for (const name of [
    "/etc/passwd",
    "C:/windows",
    "..",
    "../up",
    "in/../../up",
    "./a",
    "in//a",
    "in\\a",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "",
    "//",
    "/",
    "x".repeat(1025),
  ]) {
    it(`[GD-6] has no entry ${JSON.stringify(name.slice(0, 20))}`, () =>
      refused([{ ...a, name }], /the name/));
  }

  it("[GD-6] has names that are UTF-8 and say so", async () => {
    await refused([{ ...a, name: Uint8Array.of(0x61, 0xff) }], /not UTF-8/);
    await refused([{ ...a, name: "ü", both: { flags: 0 } }], /not marked/);
  });

  for (const [what, local] of Object.entries({
    "another name": { localName: "c" },
    "a longer name": { localName: "aa" },
    "another size": { local: { size: 4 } },
    "another packed size": { local: { packedSize: 4 } },
    "another checksum": { local: { crc: 1 } },
    "another method": { local: { method: 8 } },
    "other flags": { local: { flags: 0 } },
    "sizes left open": { local: { crc: 0, packedSize: 0, size: 0 } },
    "sizes that follow, and others here": { both: { flags: 0x0808 }, local: { size: 4 } },
    "another place": { localAt: 3 },
    "a place behind": { localAt: 0xfffffffe },
  })) {
    it(`[GD-6] has no local header with ${what}`, () =>
      refused([{ ...a, ...local }, b], /is not where|does not say what/));
  }

  it("[GD-6] has no byte in two entries, and none behind the directory", async () => {
    const inner = craftZip([b]).subarray(0, 30 + 1 + 6);
    const outer = { name: "a", content: inner };
    await refused([outer, { ...b, localAt: 31 }], /"b" overlaps/);
    const upToTheNext = { content: utf8("firsP"), packed: utf8("firs") };
    const shared = { ...upToTheNext, both: { size: 5, packedSize: 5 } };
    await refused([{ ...a, ...shared }, b], /"b" overlaps/);
    await refused([a, { ...a, name: "b", localName: "a", localAt: 0 }], /overlaps|does not say/);
    const long = { both: { size: 5000, packedSize: 5000 } };
    await refused([b, { ...a, ...long }], /does not end before/);
    await refused([b, { ...a, both: { size: 6, packedSize: 6 } }], /does not end before/);
  });

  it("has nothing that it does not say how to read", async () => {
    await refused([{ ...a, both: { flags: 1 } }], /encrypted/);
    await refused([{ ...a, both: { flags: 0x2040 } }], /encrypted/);
    await refused([{ ...a, both: { method: 12 } }], /method 12/);
    await refused([{ ...a, both: { size: 4 } }], /two sizes/);
    await refused([{ ...a, both: { size: 0xffffffff } }], /zip64/);
    await refused([{ ...a, disk: 1 }], /disk/);
    await refused([{ name: "folder/", content: new Uint8Array(1) }], /folder with bytes/);
    await refused([{ ...a, extra: numbers([2, 1], [2, 0]) }], /extra field/);
    const renamed = numbers([2, 9], [2, 0], [2, 0x7075], [2, 0]);
    await refused([{ ...a, extra: renamed }], /extra field/);
  });

  it("is one archive, from its first entry to its last byte", async () => {
    await refused([a], /does not end/, { comment: utf8("hello") });
    await refused([a], /comment is cut off/, { commentLength: 5 });
    await refused([a], /zip64/, { count: 0xffff });
    await refused([a], /zip64/, { start: 0xffffffff });
    await refused([a], /disks/, { disks: 1 });
    await refused([a], /disks/, { countHere: 2 });
    await refused([a], /directory/, { count: 2 });
    await refused([a, b], /more than its entries/, { count: 1 });
    await refused([a], /does not end where/, { size: 1 });
    await refused([a], /does not end where/, { start: 1 });
    await refusedBytes(concatBytes([utf8("#!/bin/sh\n"), craftZip([a])]), /does not end where/);
    await refusedBytes(utf8("no archive, but longer than a record"), /does not end/);
    await refusedBytes(new Uint8Array(), /does not end/);
  });
});
