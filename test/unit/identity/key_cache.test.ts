import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import { KeyCache, type KeyCacheOptions } from "../../../src/identity/key_cache.ts";
import {
  importSigningKey,
  type SigningKey,
  sign,
  verifySignature,
} from "../../../src/protocol/signing_key.ts";
import { type Deferred, deferred, never } from "./support.ts";

type Key = Uint8Array<ArrayBuffer>;

/** A cache whose fetches the test answers. */
function setUp(options?: KeyCacheOptions) {
  const clock = new FakeClock();
  const fetches: { keyId: number; answer: Deferred<Key>; signal: AbortSignal }[] = [];
  const fetchKey = (keyId: number, { signal }: { readonly signal: AbortSignal }): Promise<Key> => {
    const answer = deferred<Key>();
    fetches.push({ keyId, answer, signal });
    return answer.promise;
  };
  return { clock, fetches, cache: new KeyCache({ clock, fetchKey }, options) };
}

/** Key pairs by number. */
const pairs: SigningKey[] = [];
const pair = (index: number): SigningKey => pairs[index] ?? assert.fail();
const key = (index: number): Key => pair(index).publicKey;

/** Whether a cached key is the public half of a pair. */
async function fits(found: CryptoKey, index: number): Promise<boolean> {
  const message = Uint8Array.of(1, 2, 3);
  return await verifySignature(found, await sign(pair(index), message), message);
}

const code = (expected: string) => (error: unknown) =>
  ActrError.is(error) && error.code === expected;

describe("KeyCache", () => {
  before(async () => {
    for (let seed = 0; seed < 4; seed++) {
      pairs.push(await importSigningKey(new Uint8Array(32).fill(seed)));
    }
  });

  it("answers a seeded key without a fetch", async () => {
    const { cache, fetches } = setUp();
    await cache.seed({ id: 7, publicKey: key(3) });
    assert.ok(await fits(await cache.get(7, { signal: never }), 3));
    assert.equal(fetches.length, 0);
  });

  it("fetches a missing key once for all who wait, and keeps it", async () => {
    const { cache, fetches, clock } = setUp();
    const both = Promise.all([cache.get(1, { signal: never }), cache.get(1, { signal: never })]);
    assert.equal(fetches.length, 1);
    fetches[0]?.answer.resolve(key(1));
    for (const found of await both) assert.ok(await fits(found, 1));
    assert.ok(await fits(await cache.get(1, { signal: never }), 1));
    assert.equal(fetches.length, 1);
    assert.equal(clock.pending, 0);
  });

  it("lets one waiter go without ending the fetch of the others", async () => {
    const { cache, fetches } = setUp();
    const leaving = new AbortController();
    const left = cache.get(1, { signal: leaving.signal });
    const stayed = cache.get(1, { signal: never });
    leaving.abort(new Error("left"));
    await assert.rejects(left, /left/);
    fetches[0]?.answer.resolve(key(1));
    assert.ok(await fits(await stayed, 1));
  });

  it("gives up after 5 s and aborts the fetch", async () => {
    const { cache, fetches, clock } = setUp();
    const waiting = assert.rejects(cache.get(1, { signal: never }), code("timed_out"));
    await clock.advance(5_000);
    await waiting;
    assert.equal(fetches[0]?.signal.aborted, true);
    assert.equal(clock.pending, 0);
  });

  it("remembers an unknown id for 30 s, but not a failure", async () => {
    const { cache, fetches, clock } = setUp();
    const first = assert.rejects(cache.get(1, { signal: never }), code("unavailable"));
    fetches[0]?.answer.reject(new ActrError("unavailable", "no signaling"));
    await first;
    const second = assert.rejects(cache.get(1, { signal: never }), code("not_found"));
    fetches[1]?.answer.reject(new ActrError("not_found", "no such key"));
    await second;
    await assert.rejects(cache.get(1, { signal: never }), code("not_found"));
    assert.equal(fetches.length, 2);
    await clock.advance(30_000);
    const third = cache.get(1, { signal: never });
    fetches[2]?.answer.resolve(key(1));
    assert.ok(await fits(await third, 1));
  });

  it("starts 8 fetches at once and then one each second, whatever ids strangers name", async () => {
    const { cache, fetches, clock } = setUp();
    for (let id = 0; id < 8; id++) cache.get(id, { signal: never }).catch(() => {});
    await assert.rejects(cache.get(8, { signal: never }), code("overloaded"));
    await clock.advance(1_000);
    cache.get(8, { signal: never }).catch(() => {});
    await assert.rejects(cache.get(9, { signal: never }), code("overloaded"));
    assert.equal(fetches.length, 9);
    cache.close();
    await clock.settle();
    assert.equal(clock.pending, 0);
  });

  it("keeps the keys used last", async () => {
    const { cache, fetches } = setUp({ maxKeys: 2 });
    await cache.seed({ id: 1, publicKey: key(1) });
    await cache.seed({ id: 2, publicKey: key(2) });
    await cache.get(1, { signal: never });
    await cache.seed({ id: 3, publicKey: key(3) });
    await cache.get(1, { signal: never });
    assert.equal(fetches.length, 0);
    cache.get(2, { signal: never }).catch(() => {});
    assert.equal(fetches.length, 1);
    cache.close();
  });

  it("ends waiting callers when it is closed", async () => {
    const { cache, clock } = setUp();
    const waiting = assert.rejects(cache.get(1, { signal: never }), code("stopping"));
    cache.close();
    await waiting;
    assert.equal(clock.pending, 0);
  });
});
