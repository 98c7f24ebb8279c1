import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../../src/errors.ts";
import { packageEntries } from "../../../../src/guest/package/open_package.ts";
import { signManifest } from "../../../../src/guest/package/pack.ts";
import { type PackageFault, packageError } from "../../../../src/guest/package/package_error.ts";
import { writeZip } from "../../../../src/guest/package/zip/write_zip.ts";
import { chainTrust } from "../../../../src/guest/trust/chain_trust.ts";
import {
  type TrustRefusal,
  trustRefusalOf,
  untrusted,
} from "../../../../src/guest/trust/refusal.ts";
import { registryTrust } from "../../../../src/guest/trust/registry_trust.ts";
import { staticTrust } from "../../../../src/guest/trust/static_trust.ts";
import { anchoredTrust } from "../../../../src/guest/trust/trust_anchor.ts";
import { trustNobody } from "../../../../src/guest/trust/trust_nobody.ts";
import type { TrustProvider } from "../../../../src/guest/trust/trust_provider.ts";
import { toBase64, utf8 } from "../../../../src/protocol/bytes.ts";
import { sign } from "../../../../src/protocol/signing_key.ts";
import { Signer } from "./signer.ts";

const [acme, other] = [await Signer.from(1), await Signer.from(2)];
const bytes = await acme.pack();
const script = utf8("export default {};");

/** Whether an error is of a package that is not trusted, for this reason. */
const refusal = (wanted: TrustRefusal, message = /./) => {
  return (error: Error): boolean => {
    assert.match(error.message, message);
    return trustRefusalOf(error) === wanted;
  };
};

/** A package whose manifest is `by`'s but for `change`, and signed as it then stands. */
async function changed(by: Signer, change: (manifest: string) => string): Promise<Uint8Array> {
  const type = { manufacturer: "acme", name: "Echo", version: "1.0.0" };
  const { manifest } = await signManifest({ type, binary: script, target: "x" }, by.key);
  const text = change(new TextDecoder().decode(manifest));
  const signature = await sign(by.key, utf8(text));
  return writeZip([
    [packageEntries.manifest, utf8(text)],
    [packageEntries.signature, signature],
    ["bin/actor.wasm", script],
  ]);
}

/** A registry that has the keys of some manufacturers, by their names. */
function registryOf(keys: Readonly<Record<string, Signer>>) {
  const asked: string[] = [];
  const fetch = async (url: string): Promise<Response> => {
    asked.push(url);
    const key = keys[url.split("/")[4] ?? ""]?.key.publicKey;
    if (key === undefined) return new Response("{}", { status: 404 });
    return new Response(JSON.stringify({ public_key: toBase64(key) }));
  };
  const trust = registryTrust({ endpoint: "http://registry", fetch, clock: new FakeClock() });
  return { asked, trust };
}

describe("trust in one key", () => {
  it("[G-25] accepts what it signed, of whatever manufacturer, and nothing else", async () => {
    const trust = staticTrust(acme.key.publicKey);
    const verified = await trust.verify(bytes, {});
    assert.deepEqual([verified.keyId, verified.binary], [acme.keyId, script]);
    const type = { manufacturer: "umbrella", name: "Echo", version: "1.0.0" };
    await trust.verify(await acme.pack({ type }), {});
    const wrong = refusal("signature_verification_failed");
    await assert.rejects(trust.verify(await other.pack(), {}), wrong);
    assert.throws(() => staticTrust(new Uint8Array(31)), RangeError);
  });

  it("hands out bytes that nobody can change any more, also those of a Buffer", async () => {
    const [file, key] = [Buffer.from(bytes), Buffer.from(acme.key.publicKey)];
    const trust = staticTrust(key);
    const verified = await trust.verify(file, {});
    file.fill(0);
    key.fill(0);
    assert.deepEqual(verified.binary, script);
    assert.deepEqual((await trust.verify(bytes, {})).manifestBytes, verified.manifestBytes);
  });

  it("[G-26] takes the caller's limit, for one file and for all together", async () => {
    const trust = staticTrust(acme.key.publicKey);
    const two = await acme.pack({ resources: new Map([["resources/a", script]]) });
    const { length } = script;
    await trust.verify(bytes, { maxBytes: length });
    const tooMuch = refusal("invalid_manifest", /at most|more than/);
    await assert.rejects(trust.verify(bytes, { maxBytes: length - 1 }), tooMuch);
    await trust.verify(two, { maxBytes: 2 * length });
    await assert.rejects(trust.verify(two, { maxBytes: 2 * length - 1 }), tooMuch);
  });

  it("[GD-1] refuses a package that names another key than the one that signed it", async () => {
    const trust = staticTrust(acme.key.publicKey);
    const lying = await changed(acme, (text) => text.replaceAll(acme.keyId, other.keyId));
    const message = new RegExp(`says that ${other.keyId} signed it, but ${acme.keyId} did$`);
    await assert.rejects(trust.verify(lying, {}), refusal("invalid_manifest", message));
    const silent = await changed(acme, (text) => text.replace(/^signing_key_id.*\n/m, ""));
    assert.equal((await trust.verify(silent, {})).keyId, acme.keyId);
  });

  it("stops for who waits no longer", async () => {
    const signal = AbortSignal.abort(new Error("gone"));
    await assert.rejects(staticTrust(acme.key.publicKey).verify(bytes, { signal }), /gone/);
    await assert.rejects(registryOf({ acme }).trust.verify(bytes, { signal }), /gone/);
  });
});

describe("trust in a registry", () => {
  it("[G-32] asks for the key of a package once", async () => {
    const { asked, trust } = registryOf({ acme });
    assert.equal((await trust.verify(bytes, {})).keyId, acme.keyId);
    await trust.verify(bytes, {});
    assert.deepEqual(asked, [`http://registry/mfr/acme/verifying_key?key_id=${acme.keyId}`]);
  });

  it("[G-30] needs a package that names its key, or asks nobody", async () => {
    const { asked, trust } = registryOf({ acme });
    const silent = await changed(acme, (text) => text.replace(/^signing_key_id.*\n/m, ""));
    const wrong = refusal("invalid_manifest", /^the manifest does not say which key signed it; /);
    await assert.rejects(trust.verify(silent, {}), wrong);
    assert.deepEqual(asked, []);
  });

  it("[G-38] asks nobody about what is no package", async () => {
    const { asked, trust } = registryOf({ acme });
    for (const text of ["", "not a zip", "x".repeat(10_000)]) {
      await assert.rejects(trust.verify(utf8(text), {}), refusal("invalid_manifest"));
    }
    assert.deepEqual(asked, []);
  });

  it("[G-33] trusts no manufacturer that the registry does not know", async () => {
    const wrong = refusal("untrusted_manufacturer", /answered with status 404$/);
    await assert.rejects(registryOf({}).trust.verify(bytes, {}), wrong);
  });

  it("[G-35] [GD-2] trusts no key but the named one, and with it only what it signed", async () => {
    const swapped = registryOf({ acme: other }).trust.verify(bytes, {});
    await assert.rejects(swapped, refusal("untrusted_manufacturer", /answered with the key/));
    const forged = await changed(other, (text) => text.replaceAll(other.keyId, acme.keyId));
    const asked = registryOf({ acme }).trust.verify(forged, {});
    await assert.rejects(asked, refusal("signature_verification_failed"));
  });
});

describe("trust in several", () => {
  const fails = (message: string): TrustProvider => ({
    verify: () => Promise.reject(untrusted(message)),
  });
  const mine = staticTrust(acme.key.publicKey);

  it("[G-27] takes the first that accepts", async () => {
    const trust = chainTrust([fails("one"), staticTrust(other.key.publicKey), mine, fails("x")]);
    assert.equal((await trust.verify(bytes, {})).keyId, acme.keyId);
  });

  it("[G-28] tells what the last one said where none accepts", async () => {
    const trust = chainTrust([staticTrust(other.key.publicKey), fails("one"), fails("last")]);
    await assert.rejects(trust.verify(bytes, {}), { message: "last" });
  });

  it("[G-29] is none in an empty list, which says so", async () => {
    const wrong = refusal("signature_verification_failed", /^empty trust chain/);
    await assert.rejects(chainTrust([]).verify(bytes, {}), wrong);
  });

  it("asks no more for who waits no longer", async () => {
    const controller = new AbortController();
    let asked = 0;
    const counts: TrustProvider = {
      verify: (...all) => {
        asked += 1;
        return mine.verify(...all);
      },
    };
    const leaves: TrustProvider = {
      verify: () => {
        controller.abort(new Error("gone"));
        return Promise.reject(untrusted("x"));
      },
    };
    const chain = chainTrust([counts, leaves, counts]);
    await chain.verify(bytes, {});
    assert.equal(asked, 1);
    const left = chainTrust([leaves, counts]).verify(bytes, { signal: controller.signal });
    await assert.rejects(left, /gone/);
    assert.equal(asked, 1);
  });

  it("is made of what settings name", async () => {
    const fetch = () => Promise.reject(new TypeError("down"));
    const components = { fetch, clock: new FakeClock() };
    const registry = { kind: "registry", endpoint: "http://h", allowStale: false } as const;
    const key = { kind: "key", publicKey: acme.key.publicKey } as const;
    await anchoredTrust([key], components).verify(bytes, {});
    await anchoredTrust([registry, key], components).verify(bytes, {});
    const unreachable = anchoredTrust([registry], components).verify(bytes, {});
    await assert.rejects(unreachable, refusal("untrusted_manufacturer", /: down$/));
  });
});

describe("why a package is not trusted", () => {
  it("[GD-4] is told by the trust in nobody, which accepts nothing", async () => {
    const wrong = refusal("signature_verification_failed", /^no package is accepted .*roost keys/);
    await assert.rejects(trustNobody.verify(bytes, {}), wrong);
    const nobody = anchoredTrust([{ kind: "nobody" }], { fetch, clock: new FakeClock() });
    await assert.rejects(nobody.verify(bytes, {}), wrong);
  });

  it("[G-31] has the words of nodes", () => {
    const words: readonly (readonly [PackageFault, TrustRefusal])[] = [
      ["signature_verification_failed", "signature_verification_failed"],
      ["signature_not_found", "signature_verification_failed"],
      ["binary_hash_mismatch", "binary_hash_mismatch"],
      ["manifest_not_found", "manifest_not_found"],
      ["zip_error", "invalid_manifest"],
      ["invalid_package", "invalid_manifest"],
      ["manifest_parse_error", "invalid_manifest"],
      ["binary_not_found", "invalid_manifest"],
      ["resource_not_found", "invalid_manifest"],
      ["resource_hash_mismatch", "invalid_manifest"],
      ["proto_hash_mismatch", "invalid_manifest"],
      ["lock_file_hash_mismatch", "invalid_manifest"],
    ];
    for (const [fault, word] of words) assert.equal(trustRefusalOf(packageError(fault, "x")), word);
    assert.equal(trustRefusalOf(new ActrError("timed_out", "x")), undefined);
    assert.equal(trustRefusalOf(new Error("x")), undefined);
  });
});
