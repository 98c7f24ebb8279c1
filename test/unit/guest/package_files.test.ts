import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock, SeededRandom } from "../../../adapters/memory/mod.ts";
import { generateKeyFile } from "../../../src/guest/package/key_file.ts";
import { packPackage, signManifest } from "../../../src/guest/package/pack.ts";
import { peekManifest } from "../../../src/guest/package/peek.ts";
import { verifyPackage } from "../../../src/guest/package/verify.ts";
import { fromBase64, utf8 } from "../../../src/protocol/bytes.ts";
import { manufacturerKeyId } from "../../../src/protocol/manufacturer.ts";
import { importSigningKey } from "../../../src/protocol/signing_key.ts";
import {
  changed,
  component,
  craftZip,
  entriesOf,
  hashOf,
  keyOf,
  packedEntries,
  parts,
  refused,
  resigned,
} from "./package_world.ts";

const { type, binary, target } = parts;
const least = { type, binary, target };
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

describe("a package", () => {
  it("[G-1] is a ZIP archive, the same for the same parts", async () => {
    const key = await keyOf(1);
    const bytes = await packPackage(parts, key);
    assert.equal(text(bytes.subarray(0, 4)), "PK\x03\x04");
    assert.deepEqual(await packPackage(parts, key), bytes);
    const names = (await entriesOf(bytes)).map(({ name }) => name);
    assert.deepEqual(names, [
      "manifest.toml",
      "manifest.sig",
      "manifest.lock.toml",
      "bin/actor.wasm",
      "resources/glue.js",
      "config/größe.toml",
      "proto/echo.proto",
      "proto/ping.proto",
    ]);
  });

  it("[G-2] is verified with what its manifest says", async () => {
    const key = await keyOf(1);
    const { manifest, keyId, signature, ...rest } = await verifyPackage(
      await packPackage(parts, key),
      key.publicKey,
    );
    assert.deepEqual(
      [manifest.manufacturer, manifest.name, manifest.version],
      ["acme", "Echo", "1.0.0"],
    );
    assert.deepEqual(manifest.binary, {
      path: "bin/actor.wasm",
      hash: await hashOf(component),
      target: "wasm32-wasip2",
      size: component.length,
      kind: "component",
    });
    assert.deepEqual(manifest.metadata, { description: "Says it again", license: "Apache-2.0" });
    assert.equal(manifest.signatureAlgorithm, "ed25519");
    assert.equal(manifest.signingKeyId, keyId);
    assert.equal(signature.length, 64);
    assert.deepEqual(rest.binary, component);
    assert.deepEqual(rest.lockFile, parts.lockFile);
    assert.match(text(rest.manifestBytes), /^manufacturer = "acme"$/m);
  });

  it("[G-2] may have a binary alone, of another kind too", async () => {
    const key = await keyOf(1);
    const script = { type, binary: utf8("echo"), target: "roost-script" };
    const found = await verifyPackage(await packPackage(script, key), key.publicKey);
    assert.deepEqual(found.manifest.resources, []);
    assert.deepEqual(found.manifest.protoFiles, []);
    assert.equal(found.manifest.lockFile, undefined);
    assert.equal(found.lockFile, undefined);
    assert.equal(found.manifest.binary.kind, undefined);
    assert.equal(found.manifest.binary.target, "roost-script");
  });

  it("leaves the kind open for all but components", async () => {
    const key = await keyOf(1);
    const core = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const others = [
      { ...least, binary: core },
      { ...least, target: "aarch64-apple-darwin" },
    ];
    for (const each of others) {
      const { manifest } = await verifyPackage(await packPackage(each, key), key.publicKey);
      assert.equal(manifest.binary.kind, undefined);
    }
  });

  it("[G-7] has its resources again", async () => {
    const key = await keyOf(1);
    const found = await verifyPackage(await packPackage(parts, key), key.publicKey);
    assert.deepEqual([...found.resources], [...(parts.resources ?? [])]);
  });

  it("[G-8] has its protos again, with name and path", async () => {
    const key = await keyOf(1);
    const found = await verifyPackage(await packPackage(parts, key), key.publicKey);
    assert.deepEqual([...found.protos], [...(parts.protos ?? [])]);
    const [echo, ping] = found.manifest.protoFiles;
    assert.deepEqual([echo?.name, echo?.path], ["echo.proto", "proto/echo.proto"]);
    assert.deepEqual([ping?.name, ping?.path], ["ping.proto", "proto/ping.proto"]);
  });

  it("[G-19] hands out nothing that its manifest does not list", async () => {
    const { entries, key } = await packedEntries(least);
    const added = ["resources/glue.js", "manifest.lock.toml", "proto/echo.proto"];
    const bytes = craftZip([...entries, ...added.map((name) => ({ name, content: utf8("evil") }))]);
    const found = await verifyPackage(bytes, key.publicKey);
    assert.equal(found.resources.size, 0);
    assert.equal(found.protos.size, 0);
    assert.equal(found.lockFile, undefined);
  });

  it("keeps what was verified when the file's bytes change", async () => {
    const key = await keyOf(1);
    const bytes = Buffer.from(await packPackage(parts, key));
    const found = await verifyPackage(bytes, key.publicKey);
    bytes.fill(0);
    assert.deepEqual(found.binary, component);
    assert.equal(await hashOf(found.binary), found.manifest.binary.hash);
  });
});

describe("a changed package", () => {
  const flipped = (name: string) => async (): Promise<readonly [Uint8Array, Uint8Array]> => {
    const { entries, key } = await packedEntries();
    const content = entries.find((each) => each.name === name)?.content.slice() ?? assert.fail();
    content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
    return [craftZip(changed(entries, name, { content })), key.publicKey];
  };

  it("[G-3] is refused for its binary", async () => {
    const path = "bin/actor.wasm";
    await refused(verifyPackage(...(await flipped(path)())), "binary_hash_mismatch", { path });
    const { entries, key } = await packedEntries();
    const longer = craftZip(changed(entries, path, { content: utf8("quite another binary") }));
    await refused(verifyPackage(longer, key.publicKey), "binary_hash_mismatch", { path });
  });

  it("[G-6] is refused for a resource", async () => {
    const path = "resources/glue.js";
    await refused(verifyPackage(...(await flipped(path)())), "resource_hash_mismatch", { path });
  });

  it("[G-9] is refused for a proto", async () => {
    const path = "proto/ping.proto";
    await refused(verifyPackage(...(await flipped(path)())), "proto_hash_mismatch", { path });
  });

  it("is refused for its lock file", async () => {
    const path = "manifest.lock.toml";
    await refused(verifyPackage(...(await flipped(path)())), "lock_file_hash_mismatch", { path });
  });

  it("is refused for its manifest", async () => {
    const changedManifest = await flipped("manifest.toml")();
    await refused(verifyPackage(...changedManifest), "signature_verification_failed");
  });

  it("[G-4] is refused under another key, which is named", async () => {
    const { entries } = await packedEntries();
    const other = (await keyOf(2)).publicKey;
    const says = new RegExp(await manufacturerKeyId(other));
    const verified = verifyPackage(craftZip(entries), other);
    await refused(verified, "signature_verification_failed", { says });
  });

  it("[G-5] is refused without a signature, and without a manifest", async () => {
    const { entries, key } = await packedEntries();
    const unsigned = craftZip(changed(entries, "manifest.sig", undefined));
    const path = "manifest.sig";
    await refused(verifyPackage(unsigned, key.publicKey), "signature_not_found", { path });
    const unnamed = craftZip(changed(entries, "manifest.toml", undefined));
    await refused(verifyPackage(unnamed, key.publicKey), "manifest_not_found", {
      path: "manifest.toml",
    });
  });

  it("is refused with a signature of another length", async () => {
    const { entries, key } = await packedEntries();
    const short = craftZip(changed(entries, "manifest.sig", { content: new Uint8Array(63) }));
    const long = craftZip(changed(entries, "manifest.sig", { content: new Uint8Array(65) }));
    await refused(verifyPackage(short, key.publicKey), "signature_verification_failed");
    await refused(verifyPackage(long, key.publicKey), "invalid_package", { path: "manifest.sig" });
  });

  for (const [path, fault] of [
    ["bin/actor.wasm", "binary_not_found"],
    ["resources/glue.js", "resource_not_found"],
    ["proto/echo.proto", "proto_not_found"],
    ["manifest.lock.toml", "lock_file_not_found"],
  ] as const) {
    it(`[GD-7] is refused without ${path}, as what it is`, async () => {
      const { entries, key } = await packedEntries();
      const bytes = craftZip(changed(entries, path, undefined));
      await refused(verifyPackage(bytes, key.publicKey), fault, { path });
    });
  }
});

describe("a manifest", () => {
  const verifyEdited = async (edit: (manifest: string) => string): Promise<unknown> => {
    const { entries, key } = await packedEntries();
    return await verifyPackage(craftZip(await resigned(entries, key, edit)), key.publicKey);
  };
  const wrong = (edit: (manifest: string) => string, field: string): Promise<void> =>
    refused(verifyEdited(edit), "manifest_parse_error", {
      path: "manifest.toml",
      field,
      says: new RegExp(field.replace(/[[\]]/g, "\\$&")),
    });

  it("[G-10] is refused for another algorithm, and for a hash that is none", async () => {
    await wrong((old) => old.replace('"ed25519"', '"rsa"'), "signature_algorithm");
    const firstHash = /hash = "[0-9a-f]{64}"/;
    await wrong((old) => old.replace(firstHash, `hash = "${"g".repeat(64)}"`), "binary.hash");
    await wrong((old) => old.replace(firstHash, `hash = "${"0".repeat(63)}"`), "binary.hash");
    const ofProto = (old: string): string =>
      old.replace(/(path = "proto\/ping\.proto"\nhash = ")../, "$1zz");
    await wrong(ofProto, "proto_files[1].hash");
  });

  it("is refused for each field that it must have, and for values that are none", async () => {
    for (const field of ["manufacturer", "name", "version"]) {
      await wrong((old) => old.replace(new RegExp(`^${field} = .*$`, "m"), ""), field);
      await wrong((old) => old.replace(new RegExp(`^${field} = .*$`, "m"), `${field} = 7`), field);
    }
    await wrong((old) => old.replace(/^target = .*$/m, ""), "binary.target");
    await wrong((old) => old.replace('"component"', '"gadget"'), "binary.kind");
    await wrong((old) => old.replace(/^size = .*$/m, "size = -1"), "binary.size");
    await wrong((old) => old.replace(/^path = "bin.*$/m, ""), "binary.path");
    await wrong(
      (old) => old.replace(/^signing_key_id = .*$/m, "signing_key_id = 1"),
      "signing_key_id",
    );
    await wrong(
      (old) => old.replace('name = "ping.proto"', 'name = "echo.proto"'),
      "proto_files[1].name",
    );
    await wrong((old) => old.replace("[lock_file]", "[[lock_file]]"), "lock_file");
  });

  it("is refused when it is not TOML, or not UTF-8", async () => {
    await refused(
      verifyEdited(() => "manufacturer ="),
      "manifest_parse_error",
    );
    const deep = `${"a.".repeat(200_000)}a = 1`;
    await refused(
      verifyEdited(() => `manufacturer.${deep}`),
      "manifest_parse_error",
    );
    const { entries } = await packedEntries();
    const bytes = craftZip(changed(entries, "manifest.toml", { content: Uint8Array.of(0xff) }));
    await refused(peekManifest(bytes), "manifest_parse_error", { path: "manifest.toml" });
  });

  it("may have fields that nobody knows, and leave out what is not needed", async () => {
    const found = (await verifyEdited((old) =>
      old
        .replace(/^(signature_algorithm|signing_key_id|size|kind) = .*\n/gm, "")
        .replace(/^manufacturer/m, "future = [1, { a = 2 }]\nmanufacturer"),
    )) as Awaited<ReturnType<typeof verifyPackage>>;
    assert.equal(found.manifest.signingKeyId, undefined);
    assert.equal(found.manifest.binary.kind, undefined);
    assert.equal(found.manifest.signatureAlgorithm, "ed25519");
  });

  it("[GD-22] matches by the bytes of its hashes, and by the size of its binary", async () => {
    await verifyEdited((old) =>
      old.replace(/(?<=hash = ")[0-9a-f]{64}/g, (hash) => hash.toUpperCase()),
    );
    await wrong((old) => old.replace(/^size = .*$/m, "size = 8"), "binary.size");
  });

  it("is read before anything is proven, for who looks for a key", async () => {
    const { entries } = await packedEntries();
    const forged = changed(entries, "manifest.sig", { content: new Uint8Array(64) });
    const manifest = await peekManifest(craftZip(forged));
    assert.equal(manifest.manufacturer, "acme");
    assert.equal(manifest.signingKeyId, await manufacturerKeyId((await keyOf(1)).publicKey));
  });
});

describe("signing", () => {
  it("[G-22] gives the manifest of the package, byte for byte, with and without protos", async () => {
    const key = await keyOf(1);
    for (const each of [parts, least]) {
      const { manifest, signature } = await signManifest(each, key);
      const found = await verifyPackage(await packPackage(each, key), key.publicKey);
      assert.deepEqual(found.manifestBytes, manifest);
      assert.deepEqual(found.signature, signature);
    }
  });

  it("[G-23] gives what verifies in an archive of another tool, under no other key", async () => {
    const key = await keyOf(3);
    const { manifest, signature } = await signManifest(least, key);
    const bytes = craftZip([
      { name: "bin/actor.wasm", content: component, deflate: true },
      { name: "manifest.sig", content: signature },
      { name: "manifest.toml", content: manifest, deflate: true },
    ]);
    const found = await verifyPackage(bytes, key.publicKey);
    assert.deepEqual(found.binary, component);
    const other = verifyPackage(bytes, (await keyOf(4)).publicKey);
    await refused(other, "signature_verification_failed");
  });

  it("[G-24] names the key: mfr- and 16 digits, always the same, another for each key", async () => {
    const ids = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        const key = await keyOf(seed);
        const { manifest } = await signManifest(least, key);
        const found = await verifyPackage(await packPackage(parts, key), key.publicKey);
        const [, signed] = /^signing_key_id = "(.*)"$/m.exec(text(manifest)) ?? [];
        assert.equal(found.keyId, signed);
        assert.equal(found.manifest.signingKeyId, signed);
        return found.keyId;
      }),
    );
    assert.match(ids[0] ?? "", /^mfr-[0-9a-f]{16}$/);
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], ids[2]);
  });

  it("[GD-19] refuses parts of one name, and names that are no paths", async () => {
    const key = await keyOf(1);
    const pack = (path: string): Promise<unknown> =>
      packPackage({ ...parts, resources: new Map([[path, component]]) }, key);
    for (const path of ["bin/actor.wasm", "proto/echo.proto", "manifest.toml", "manifest.sig"]) {
      await refused(pack(path), "invalid_package", { path, says: /there twice/ });
    }
    await refused(pack("manifest.lock.toml"), "invalid_package");
    for (const path of ["../a", "/a", "a//b", "a\\b", "c:/a", "a/", "", "./a", "a\n"]) {
      await refused(pack(path), "invalid_package", { path });
    }
    const proto = packPackage({ ...parts, protos: new Map([["v1/echo.proto", component]]) }, key);
    await refused(proto, "invalid_package", { path: "v1/echo.proto", says: /base name/ });
  });

  it("[GD-20] lists what there is, by its own path and hash", async () => {
    const key = await keyOf(1);
    const resources = new Map([
      ["b", utf8("2")],
      ["a", utf8("1")],
    ]);
    const { manifest } = await verifyPackage(
      await packPackage({ ...parts, resources }, key),
      key.publicKey,
    );
    assert.deepEqual(manifest.resources, [
      { path: "b", hash: await hashOf(utf8("2")) },
      { path: "a", hash: await hashOf(utf8("1")) },
    ]);
  });

  it("refuses what no node would read", async () => {
    const key = await keyOf(1);
    const many = new Map(Array.from({ length: 1024 }, (_, at) => [`r/${at}`, component]));
    const packed = packPackage({ ...least, resources: many }, key);
    await refused(packed, "invalid_package", { says: /1024.*1025/ });
    const unversioned = packPackage({ ...least, type: { ...type, version: "" } }, key);
    await refused(unversioned, "manifest_parse_error", { field: "version" });
    const resources = new Map(
      [...many].slice(1).map(([path, each]) => [path.padEnd(1000, "x"), each]),
    );
    const long = signManifest({ ...least, resources }, key);
    await refused(long, "manifest_parse_error", { says: /1048576/ });
    const big = packPackage({ ...least, binary: new Uint8Array(64 * 1024 * 1024 + 1) }, key);
    await refused(big, "invalid_package", { says: /67108864/ });
  });
});

describe("a key file", () => {
  it("holds a new pair, which signs what verifies", async () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 2));
    const made = await generateKeyFile({ clock, random: new SeededRandom(4) }, "for tests");
    const { private_key, public_key, ...rest } = JSON.parse(made.text);
    assert.deepEqual(rest, { created_at: "2026-01-02T00:00:00.000Z", note: "for tests" });
    const key = await importSigningKey(fromBase64(private_key) ?? assert.fail());
    assert.deepEqual(key.publicKey, fromBase64(public_key));
    assert.deepEqual(made.publicKey, key.publicKey);
    const found = await verifyPackage(await packPackage(least, key), made.publicKey);
    assert.equal(found.keyId, made.keyId);
  });
});
