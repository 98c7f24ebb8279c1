import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../../adapters/memory/seeded_random.ts";
import { generateKeyFile } from "../../../../src/guest/package/key_file.ts";
import { publicKeyIn, signingKeyIn } from "../../../../src/guest/trust/key_file.ts";

const components = { clock: new FakeClock(), random: new SeededRandom(1) };

describe("a key file", () => {
  it("holds a pair, and either half of it", async () => {
    const { text, publicKey } = await generateKeyFile(components);
    assert.deepEqual(publicKeyIn(text), publicKey);
    assert.deepEqual((await signingKeyIn(text, "my.json")).publicKey, publicKey);
  });

  it("is refused when its halves are of two pairs, without a word of them", async () => {
    const [mine, other] = [await generateKeyFile(components), await generateKeyFile(components)];
    const { private_key: seed } = JSON.parse(mine.text) as { private_key: string };
    const mixed = JSON.stringify({ ...JSON.parse(other.text), private_key: seed });
    await assert.rejects(signingKeyIn(mixed, "my.json"), (error: Error & { code: string }) => {
      assert.equal(error.code, "config");
      assert.match(error.message, /public_key of my.json is not that of its private_key/);
      assert.ok(!error.message.includes(seed));
      return true;
    });
  });

  it("is refused for what is no key", async () => {
    const short = { public_key: "AAAA", private_key: "AAAA" };
    assert.throws(() => publicKeyIn("[1"), { code: "config", message: /no key file/ });
    assert.throws(() => publicKeyIn("{}"), { code: "config", message: /is missing/ });
    assert.throws(() => publicKeyIn(JSON.stringify(short)), { message: /base64 of 32 bytes/ });
    await assert.rejects(signingKeyIn(JSON.stringify(short), "k"), { message: /base64 of 32/ });
  });
});
