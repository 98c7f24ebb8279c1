import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import { trustRefusalOf } from "../../../../src/guest/trust/refusal.ts";
import { registryRoot } from "../../../../src/guest/trust/registry_endpoint.ts";
import { registryTrust } from "../../../../src/guest/trust/registry_trust.ts";
import { toBase64 } from "../../../../src/protocol/bytes.ts";
import { manufacturerKeyId } from "../../../../src/protocol/manufacturer.ts";

const key = new Uint8Array(32).fill(9);
const keyId = await manufacturerKeyId(key);
const good = JSON.stringify({ public_key: toBase64(key), key_id: keyId });

/** A registry that answers every request alike. */
function registryOf(answer: () => Response) {
  const urls: string[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    assert.deepEqual([init.redirect, init.method], ["error", undefined]);
    urls.push(url);
    return answer();
  };
  const options = { endpoint: "http://registry:1/ais", fetch, clock: new FakeClock() };
  return { urls, trust: registryTrust(options) };
}

const refuses = async (answer: () => Response, message: RegExp, code = "permission_denied") => {
  const { trust } = registryOf(answer);
  const asked = trust.prefetch({ manufacturer: "acme", keyId });
  await assert.rejects(asked, (error: Error & { code?: string }) => {
    assert.equal(trustRefusalOf(error), "untrusted_manufacturer");
    assert.match(error.message, message);
    return error.code === code;
  });
};

describe("the answer of a registry", () => {
  it("[G-37] is a key, which is asked for by manufacturer and id, once", async () => {
    const { urls, trust } = registryOf(() => new Response(good));
    assert.deepEqual(urls, []);
    await trust.prefetch({ manufacturer: "acme", keyId });
    await trust.prefetch({ manufacturer: "acme", keyId });
    assert.deepEqual(urls, [`http://registry:1/mfr/acme/verifying_key?key_id=${keyId}`]);
  });

  it("[G-34] may be something else, from which nobody is trusted", async () => {
    const json = (value: unknown) => () => new Response(JSON.stringify(value));
    const odd = /answered with something else than a key$/;
    await refuses(() => new Response("{"), odd);
    await refuses(() => new Response(Uint8Array.of(0xff)), odd);
    for (const value of [null, 1, [], {}, { public_key: 1 }, { public_key: "***" }]) {
      await refuses(json(value), odd);
    }
    await refuses(json({ public_key: toBase64(key.subarray(1)) }), odd);
  });

  it("[GD-2] counts by the id of the key, not by what it says that is", async () => {
    const other = new Uint8Array(32).fill(8);
    const lie = JSON.stringify({ public_key: toBase64(other), key_id: keyId });
    const otherId = await manufacturerKeyId(other);
    await refuses(() => new Response(lie), new RegExp(`answered with the key ${otherId}$`));
  });

  it("may be no, or that it cannot tell now", async () => {
    for (const status of [404, 400, 403]) {
      const message = new RegExp(`^http://registry:1/.* answered with status ${status}$`);
      await refuses(() => new Response("no", { status }), message);
    }
    for (const status of [429, 500, 503]) {
      const message = /^registry http:\/\/registry:1 cannot be asked .*: it answered with status/;
      await refuses(() => new Response("no", { status }), message, "unavailable");
    }
    const long = () => new Response("x".repeat(70_000));
    await refuses(long, /the message has \d+ bytes or more; 65536 are allowed$/, "unavailable");
  });

  it("[GD-3] is not asked for where no name of a key stands, or one that would leave its path", async () => {
    const { urls, trust } = registryOf(() => new Response(good));
    const names = ["..", ".", "", "a/b", "%2e%2e", "a?b", "a b", "a\u0000"];
    for (const manufacturer of names) {
      await assert.rejects(trust.prefetch({ manufacturer, keyId }), { code: "permission_denied" });
    }
    for (const bad of ["", "mfr-1", keyId.toUpperCase(), `${keyId}&x=1`]) {
      const asked = trust.prefetch({ manufacturer: "acme", keyId: bad });
      await assert.rejects(asked, { code: "permission_denied", message: /names no key/ });
    }
    assert.deepEqual(urls, []);
    await trust.prefetch({ manufacturer: "Ünit", keyId });
    assert.deepEqual(urls, [`http://registry:1/mfr/%C3%9Cnit/verifying_key?key_id=${keyId}`]);
  });

  it("comes from a root, with or without the identity service's path", () => {
    for (const end of ["", "/", "/ais", "/ais/"]) {
      assert.equal(registryRoot(`http://h:1${end}`), "http://h:1");
      assert.equal(registryRoot(`https://h/x${end}`), "https://h/x");
    }
    for (const bad of ["", "h:1", "ftp://h", "http://u:p@h", "http://h?x=1", "http://h#x"]) {
      assert.throws(() => registryRoot(bad), { code: "config" }, bad);
    }
  });
});
