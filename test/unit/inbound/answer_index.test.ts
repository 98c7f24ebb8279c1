import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { AnswerIndex, hashOfId } from "../../../src/inbound/answer_index.ts";

/** An index that is asked by ids alone. */
function openIndex() {
  const index = new AnswerIndex();
  return {
    get: (caller: string, id: string) => index.get(caller, id, hashOfId(id)),
    set: (caller: string, id: string, value: number) => index.set(caller, id, hashOfId(id), value),
  };
}

describe("the index of remembered answers", () => {
  it("finds what a map finds: many ids, several callers, of any length and script", () => {
    const random = new SeededRandom(11);
    const index = openIndex();
    const model = new Map<string, number>();
    const pick = (below: number): number => Math.floor(random.next() * below);
    const idOf = (n: number): string => {
      const ids = [`${n}`, `call ${n}`, `\u{1f980}${n}`, `${"x".repeat(n % 300)}${n}`, ""];
      return ids[n % ids.length] ?? "";
    };
    for (let step = 0; step < 50_000; step += 1) {
      const caller = `caller ${pick(5)}`;
      const requestId = idOf(pick(8_000));
      const key = `${caller}/${requestId}`;
      assert.equal(index.get(caller, requestId), model.get(key), key);
      if (pick(3) > 0) continue;
      index.set(caller, requestId, step);
      model.set(key, step);
      assert.equal(index.get(caller, requestId), step);
    }
    for (const [key, value] of model) {
      const [caller = "", ...rest] = key.split("/");
      assert.equal(index.get(caller, rest.join("/")), value);
    }
  });

  it("finds ids that were chosen to fall into one place", () => {
    const index = openIndex();
    const ids = colliding(200);
    for (const [n, id] of ids.entries()) index.set("a", id, n);
    for (let n = 0; n < 5_000; n += 1) index.set("a", `other ${n}`, -n);
    for (const [n, id] of ids.entries()) assert.equal(index.get("a", id), n);
    assert.equal(index.get("b", ids[0] ?? ""), undefined);
  });

  it("gives what was set last for such ids, also while it grows", () => {
    const index = openIndex();
    const ids = colliding(200);
    let last = 0;
    for (let round = 0; round < 8; round += 1) {
      for (const id of ids) {
        last += 1;
        index.set("a", id, last);
      }
      for (let n = 0; n < 600; n += 1) index.set("a", `other ${round} ${n}`, -1);
      for (const [n, id] of ids.entries()) assert.equal(index.get("a", id), last - 199 + n, id);
    }
  });
});

/** Ids of the first caller whose hashes end in the same ten bits. */
function colliding(count: number): string[] {
  const found: string[] = [];
  for (let n = 0; found.length < count; n += 1) {
    const hash = Math.imul(hashOfId(`${n}`), 0x01000193);
    if ((((hash ^ (hash >>> 15)) >>> 1) & 1023) === 0) found.push(`${n}`);
  }
  return found;
}
