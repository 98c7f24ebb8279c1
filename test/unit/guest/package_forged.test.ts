import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/mod.ts";
import { ActrError } from "../../../src/errors.ts";
import { packPackage } from "../../../src/guest/package/pack.ts";
import type { VerifiedPackage } from "../../../src/guest/package/verified_package.ts";
import { verifyPackage } from "../../../src/guest/package/verify.ts";
import { concatBytes } from "../../../src/protocol/bytes.ts";
import type { SigningKey } from "../../../src/protocol/signing_key.ts";
import { changed, craftZip, keyOf, packedEntries, parts, refused } from "./package_world.ts";

/** How many mutations are tried. */
const runs = Number(process.env["PACKAGE_MUTATIONS"] ?? 400);

/** Whatever a mutation declares, no more memory than this is taken. */
const limits = { entryBytes: 65_536, totalBytes: 65_536 };

describe("[GD-5] a package under a key that anybody can sign with", () => {
  const identity = Uint8Array.of(1, ...new Uint8Array(31));

  for (const [what, key] of [
    ["the identity", identity],
    ["all zeros", new Uint8Array(32)],
  ] as const) {
    it(`is refused: ${what}`, async () => {
      const { entries } = await packedEntries();
      const content = concatBytes([identity, new Uint8Array(32)]);
      const forged = changed(entries, "manifest.sig", { content });
      for (let round = 0; round < 64; round++) {
        const manifest = new TextEncoder().encode(`manufacturer = "acme${round}"`);
        const bytes = craftZip(changed(forged, "manifest.toml", { content: manifest }));
        await refused(verifyPackage(bytes, key), "signature_verification_failed", {
          path: "manifest.sig",
        });
      }
    });
  }

  it("is misuse under what has not the length of a key", async () => {
    await assert.rejects(verifyPackage(new Uint8Array(), new Uint8Array(31)), RangeError);
  });
});

describe("a package that is damaged", () => {
  let key: SigningKey;
  let stored: Uint8Array;
  let deflated: Uint8Array;
  let whole: VerifiedPackage;

  before(async () => {
    key = await keyOf(1);
    stored = await packPackage(parts, key);
    const { entries } = await packedEntries();
    deflated = craftZip(entries.map((each) => ({ ...each, deflate: true })));
    whole = await verifyPackage(stored, key.publicKey);
    assert.deepEqual(await verifyPackage(deflated, key.publicKey), whole);
  });

  it("is refused wherever it is cut off, at either end", async () => {
    for (let at = 0; at < stored.length; at++) {
      await refused(verifyPackage(stored.subarray(0, at), key.publicKey), "zip_error");
      if (at > 0) await refused(verifyPackage(stored.subarray(at), key.publicKey), "zip_error");
    }
  });

  it("is refused with a typed error, or is what it was", { timeout: 600_000 }, async () => {
    const random = new SeededRandom(8);
    const outcomes = { refused: 0, whole: 0 };
    for (let run = 0; run < runs; run++) {
      const bytes = mutated(run % 2 === 0 ? stored : deflated, random);
      outcomes[await outcome(bytes, `run ${run}`)]++;
    }
    assert.ok(outcomes.refused > runs / 2 && outcomes.whole > 0, JSON.stringify(outcomes));
  });

  async function outcome(bytes: Uint8Array, run: string): Promise<"refused" | "whole"> {
    try {
      assert.deepEqual(await verifyPackage(bytes, key.publicKey, limits), whole, run);
      return "whole";
    } catch (error) {
      if (!ActrError.is(error)) throw error;
      assert.equal(typeof error.details?.["package"], "string", run);
      return "refused";
    }
  }
});

/** A copy with one to three changes. */
function mutated(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  let changed = bytes.slice();
  const below = (limit: number): number => Math.floor(random.next() * limit);
  for (let left = 1 + below(3); left > 0; left--) {
    const kind = mutations[below(mutations.length)] ?? assert.fail();
    // Half of them where the directory is.
    const first = below(2) === 0 ? 0 : Math.max(0, changed.length - 620);
    const at = first + below(changed.length - first);
    changed = kind(changed, at, below);
  }
  return changed;
}

type Mutation = (
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  below: (limit: number) => number,
) => Uint8Array<ArrayBuffer>;

const edges = [0, 1, 8, 0x7f, 0x80, 0xff];

const mutations: readonly Mutation[] = [
  (bytes, at, below) => {
    bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    return bytes;
  },
  (bytes, at, below) => {
    bytes[at] = edges[below(edges.length)] ?? 0;
    return bytes;
  },
  (bytes, at, below) => bytes.fill(edges[below(edges.length)] ?? 0, at, at + 1 + below(4)),
  (bytes, at, below) => bytes.copyWithin(at, below(bytes.length), bytes.length),
  (bytes, at, below) => bytes.copyWithin(at, below(bytes.length - 30), 30),
  (bytes, at, below) => concatBytes([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))]),
  (bytes, at, below) => concatBytes([bytes.subarray(0, at + below(50)), bytes.subarray(at)]),
  (bytes, at) => concatBytes([bytes.subarray(at), bytes.subarray(0, at)]),
];
