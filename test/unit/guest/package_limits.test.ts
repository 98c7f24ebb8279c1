import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateRawSync } from "node:zlib";
import { peekManifest } from "../../../src/guest/package/peek.ts";
import { verifyPackage } from "../../../src/guest/package/verify.ts";
import { readZipEntry } from "../../../src/guest/package/zip/read_entry.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import {
  type CraftedEntry,
  changed,
  craftZip,
  hashOf,
  packedEntries,
  parts,
  refused,
  resigned,
} from "./package_world.ts";

const binaryPath = "bin/actor.wasm";
const kilobyte = new Uint8Array(1024);
const large = {
  ...parts,
  binary: kilobyte,
  resources: new Map([
    ["resources/glue.js", kilobyte],
    ["resources/other.js", kilobyte],
  ]),
  protos: new Map([
    ["a.proto", kilobyte],
    ["b.proto", kilobyte],
  ]),
  lockFile: kilobyte,
};

/** A package whose entries are all deflated. */
async function deflated(): Promise<readonly [Uint8Array, Uint8Array]> {
  const { entries, key } = await packedEntries(large);
  return [craftZip(entries.map((each) => ({ ...each, deflate: true }))), key.publicKey];
}

/** The package with its binary as `entry` says; the manifest is signed for `content`. */
async function withBinary(
  entry: Partial<CraftedEntry>,
  content = kilobyte,
): Promise<readonly [Uint8Array, Uint8Array]> {
  const { entries, key } = await packedEntries({ ...large, resources: new Map() });
  const hash = await hashOf(content);
  const signed = await resigned(entries, key, (manifest) =>
    manifest.replace(/hash = ".*"/, `hash = "${hash}"`).replace(/^size = .*\n/m, ""),
  );
  return [craftZip(changed(signed, binaryPath, entry)), key.publicKey];
}

describe("limits of a package", () => {
  it("are kept by all that is deflated, too", async () => {
    const found = await verifyPackage(...(await deflated()));
    assert.deepEqual(found.binary, kilobyte);
    assert.equal(found.resources.size, 2);
  });

  it("[G-11] [G-18] hold for the binary, naming it and the limit", async () => {
    const { entries, key } = await packedEntries({ ...large, binary: new Uint8Array(4096) });
    const bytes = craftZip(changed(entries, binaryPath, { deflate: true }));
    await refused(verifyPackage(bytes, key.publicKey, { entryBytes: 4095 }), "invalid_package", {
      path: binaryPath,
      says: /bin\/actor\.wasm has 4096 bytes.*4095/,
    });
    await verifyPackage(bytes, key.publicKey, { entryBytes: 4096 });
  });

  for (const [ids, role, path] of [
    ["[G-12] [G-20]", "resource", "resources/glue.js"],
    ["[G-21]", "proto", "proto/a.proto"],
    ["[G-17]", "lock file", "manifest.lock.toml"],
  ] as const) {
    it(`${ids} hold for a ${role}, naming it and the limit`, async () => {
      const { entries, key } = await packedEntries(large);
      const content = new Uint8Array(2048);
      const bytes = craftZip(changed(entries, path, { content, deflate: true }));
      const verified = verifyPackage(bytes, key.publicKey, { entryBytes: 2047 });
      await refused(verified, "invalid_package", { path, says: /has 2048 bytes.*2047/ });
    });
  }

  it("[G-13] [G-21] hold for all files together", async () => {
    const [bytes, publicKey] = await deflated();
    const limited = verifyPackage(bytes, publicKey, { totalBytes: 6 * 1024 - 1 });
    await refused(limited, "invalid_package", { says: /6143 bytes together/ });
    await verifyPackage(bytes, publicKey, { totalBytes: 6 * 1024 });
    const twoProtos = { ...large, resources: new Map(), lockFile: undefined };
    const { entries, key } = await packedEntries(twoProtos);
    const protos = verifyPackage(craftZip(entries), key.publicKey, { totalBytes: 2 * 1024 });
    await refused(protos, "invalid_package", { path: "proto/b.proto" });
  });

  it("[G-13] count a file twice that is listed twice", async () => {
    const { entries, key } = await packedEntries(large);
    const twice = await resigned(entries, key, (manifest) =>
      manifest.replace("resources/other.js", "resources/glue.js"),
    );
    const limits = { totalBytes: 6 * 1024 - 1 };
    await refused(verifyPackage(craftZip(twice), key.publicKey, limits), "invalid_package");
  });

  it("[G-14] hold for the number of files", async () => {
    const [bytes, publicKey] = await deflated();
    await refused(verifyPackage(bytes, publicKey, { entries: 5 }), "invalid_package", {
      says: /lists 6 files; at most 5/,
    });
    await verifyPackage(bytes, publicKey, { entries: 6 });
  });

  it("[G-15] hold for a signature that is deflated", async () => {
    const { entries, key } = await packedEntries(large);
    const content = new Uint8Array(1_000_000);
    const bytes = craftZip(changed(entries, "manifest.sig", { content, deflate: true }));
    const path = "manifest.sig";
    await refused(verifyPackage(bytes, key.publicKey), "invalid_package", { path, says: /64/ });
  });

  it("[G-16] hold for a manifest, also for who only looks at it", async () => {
    const { entries, key } = await packedEntries(large);
    const content = new Uint8Array(1024 * 1024 + 1).fill(0x0a);
    const bytes = craftZip(changed(entries, "manifest.toml", { content, deflate: true }));
    const where = { path: "manifest.toml", says: /1048577.*1048576/ };
    await refused(verifyPackage(bytes, key.publicKey), "invalid_package", where);
    await refused(peekManifest(bytes), "invalid_package", where);
  });
});

describe("a bomb", () => {
  const zeros = new Uint8Array(2 * 1024 * 1024);
  const packed = deflateRawSync(zeros);
  const lying = (size: number): Partial<CraftedEntry> => ({
    ...{ content: zeros, packed, deflate: true, both: { size } },
  });

  it("that is as long as it says is within the limits, or refused before it is read", async () => {
    const [bytes, key] = await withBinary(lying(zeros.length), zeros);
    assert.ok(bytes.length < zeros.length / 200);
    await verifyPackage(bytes, key);
    await refused(verifyPackage(bytes, key, { entryBytes: 1024 * 1024 }), "invalid_package");
  });

  it("that is longer than it says is cut off where that shows", async () => {
    for (const size of [0, 1, 1024, zeros.length - 1]) {
      const [bytes, key] = await withBinary(lying(size));
      const path = binaryPath;
      await refused(verifyPackage(bytes, key), "zip_error", { path, says: /does not have the/ });
    }
  });

  it("that is shorter than it says takes no memory for the rest", async () => {
    const [bytes, key] = await withBinary(lying(zeros.length + 1));
    await refused(verifyPackage(bytes, key), "zip_error", { says: /2097153 bytes/ });
    const entry = { name: "a", deflated: true, packed, size: 2 ** 40 };
    await refused(readZipEntry(entry), "zip_error", { says: /does not have the 1099511627776/ });
    const little = { content: kilobyte, deflate: true, both: { size: 60 * 1024 * 1024 } };
    const [small, smallKey] = await withBinary(little);
    await refused(verifyPackage(small, smallKey), "zip_error", { says: /62914560 bytes/ });
  });

  it("of many small files is refused by their number", async () => {
    const { entries, key } = await packedEntries(large);
    const tail = Array.from({ length: 2_000 }, (_, at) => ({
      name: `x/${at}`,
      content: new Uint8Array(),
    }));
    const lists = tail.map(
      ({ name }) => `[[resources]]\npath = "${name}"\nhash = "${"0".repeat(64)}"`,
    );
    const signed = await resigned(entries, key, (manifest) =>
      [manifest.slice(0, manifest.indexOf("[[resources]]")), ...lists].join("\n"),
    );
    const bytes = craftZip([...signed, ...tail]);
    await refused(verifyPackage(bytes, key.publicKey), "invalid_package", {
      says: /lists 2001 files/,
    });
  });

  it("of what cannot be inflated is refused", async () => {
    for (const broken of [utf8("no deflate at all"), new Uint8Array(), packed.subarray(0, 100)]) {
      const entry = { content: kilobyte, packed: broken, deflate: true };
      await refused(verifyPackage(...(await withBinary(entry))), "zip_error", { path: binaryPath });
    }
  });
});
