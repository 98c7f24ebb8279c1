import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../../src/errors.ts";
import { untrusted } from "../../../../src/guest/trust/refusal.ts";
import type { KeyName } from "../../../../src/guest/trust/registry_http.ts";
import { RegistryKeys } from "../../../../src/guest/trust/registry_keys.ts";

const hour = 3_600_000;
const acme: KeyName = { manufacturer: "acme", keyId: "mfr-0000000000000001" };
const key = new Uint8Array(32).fill(1);

/** A registry in memory; `answer` is what it says, or does. */
class Registry {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  answer: (signal: AbortSignal) => Uint8Array | Promise<Uint8Array> = () => key;

  keys(allowStale = false): RegistryKeys {
    const fetchKey = async ({ manufacturer, keyId }: KeyName, signal: AbortSignal) => {
      this.asked.push(`${manufacturer}:${keyId}`);
      return await this.answer(signal);
    };
    const components = { clock: this.clock, registry: "http://registry", fetchKey };
    return new RegistryKeys(components, { allowStale });
  }
}

const down = (): never => {
  throw new TypeError("fetch failed");
};
const never = (): Promise<Uint8Array> => new Promise(() => {});

describe("keys of a registry", () => {
  it("are asked for once an hour", async () => {
    const registry = new Registry();
    const keys = registry.keys();
    assert.equal(await keys.get(acme), key);
    await registry.clock.advance(hour - 1);
    assert.equal(await keys.get(acme), key);
    assert.equal(registry.asked.length, 1);
    await registry.clock.advance(1);
    await keys.get(acme);
    assert.equal(registry.asked.length, 2);
  });

  it("[G-36] are kept for each manufacturer by itself", async () => {
    const registry = new Registry();
    const keys = registry.keys();
    await keys.get(acme);
    registry.answer = () => new Uint8Array(32).fill(2);
    const other = { ...acme, manufacturer: "umbrella" };
    assert.equal((await keys.get(other))[0], 2);
    assert.equal((await keys.get(acme))[0], 1);
    assert.deepEqual(registry.asked, [`acme:${acme.keyId}`, `umbrella:${acme.keyId}`]);
  });

  it("[GD-3] are fetched once for all who wait, of whom each may leave", async () => {
    const registry = new Registry();
    const keys = registry.keys();
    let tell = (_: Uint8Array): void => {};
    registry.answer = () => new Promise((resolve) => (tell = resolve));
    const leaver = new AbortController();
    const [left, stays] = [keys.get(acme, leaver.signal), keys.get(acme)];
    leaver.abort(new Error("gone"));
    await assert.rejects(left, /gone/);
    tell(key);
    assert.equal(await stays, key);
    assert.equal(registry.asked.length, 1);
  });

  it("[GD-3] that do not come within 5 s are given up, and asked for again at once", async () => {
    const registry = new Registry();
    const keys = registry.keys();
    registry.answer = never;
    const late = assert.rejects(keys.get(acme), {
      code: "unavailable",
      message: /^registry http:\/\/registry cannot be asked .*acme:mfr-.* longer than 5000 ms$/,
    });
    await registry.clock.advance(5_000);
    await late;
    registry.answer = () => key;
    assert.equal(await keys.get(acme), key);
  });

  it("[GD-3] that there are not are not asked for again for 30 s", async () => {
    const registry = new Registry();
    const keys = registry.keys();
    registry.answer = () => {
      throw untrusted("no such key");
    };
    const refused = { code: "permission_denied", message: "no such key" };
    await assert.rejects(keys.get(acme), refused);
    await registry.clock.advance(29_999);
    await assert.rejects(keys.get(acme), refused);
    assert.equal(registry.asked.length, 1);
    registry.answer = () => key;
    await registry.clock.advance(1);
    assert.equal(await keys.get(acme), key);
  });

  it("[GD-3] are forgotten beyond 256, those unused for longest first", async () => {
    const registry = new Registry();
    const keys = registry.keys();
    const named = (n: number): KeyName => ({ ...acme, manufacturer: `m${n}` });
    for (let n = 0; n < 256; n += 1) await keys.get(named(n));
    await keys.get(named(0));
    await keys.get(named(256));
    registry.asked.length = 0;
    await keys.get(named(0));
    await keys.get(named(1));
    assert.deepEqual(registry.asked, [`m1:${acme.keyId}`]);
  });

  it("[GD-3] count for longer while the registry is out of reach, where that is allowed", async () => {
    for (const allowStale of [true, false]) {
      const registry = new Registry();
      const keys = registry.keys(allowStale);
      await keys.get(acme);
      await registry.clock.advance(hour);
      registry.answer = down;
      const found = keys.get(acme);
      if (allowStale) assert.equal(await found, key);
      else await assert.rejects(found, { code: "unavailable", message: /: fetch failed$/ });
      registry.answer = () => {
        throw untrusted("revoked");
      };
      await assert.rejects(keys.get(acme), { message: "revoked" });
      await registry.clock.advance(hour);
      registry.answer = down;
      await assert.rejects(keys.get(acme), (error) => ActrError.is(error) && error.retryable);
    }
  });
});
