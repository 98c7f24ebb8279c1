import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { faultOf } from "../../../src/guest/fault.ts";
import type { GuestWorld, ProbeInstance } from "../../conformance/guest_world.ts";
import { inlineGuest } from "../../fixtures/guests/inline_guest.ts";
import { callPayload, u32s } from "../../fixtures/guests/probe_guest.ts";

/** Numbers that break what does not look twice. */
const edges = [
  0,
  1,
  2,
  3,
  7,
  8,
  255,
  65_528,
  131_072,
  200_000,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 8,
  2 ** 32 - 1,
];

/** Instances of the probe, a new one for each that ended. */
class Victims {
  readonly #world: GuestWorld;
  readonly #random: SeededRandom;
  #probe: ProbeInstance | undefined;

  constructor(world: GuestWorld, seed: number) {
    this.#world = world;
    this.#random = new SeededRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  /** Mostly small, so that some of what is forged holds together. */
  number(): number {
    const kind = this.below(4);
    if (kind === 0) return edges[this.below(edges.length)] as number;
    return kind === 1 ? this.below(2 ** 32) : this.below(300);
  }

  numbers(count: number): Uint8Array {
    return u32s(...Array.from({ length: count }, () => this.number()));
  }

  /** Runs one, which may end in a rule's name or its own trap, but never in an error of ours. */
  async attack(route: string, payload: Uint8Array): Promise<string> {
    this.#probe ??= await this.#world.instance();
    try {
      await this.#probe.dispatch(route, payload);
      return "survived";
    } catch (error) {
      assert.ok(ActrError.is(error), String(error));
      assert.match(
        error.message,
        /^the guest (broke a rule|exceeds a limit|trapped: unreachable|trapped: Unreachable)/i,
      );
      this.#probe = undefined;
      return String(faultOf(error));
    }
  }
}

describe("a component that forges", () => {
  it("arguments of calls is told its place, or asks for something that is whole", async () => {
    await using world = await inlineGuest("probe");
    const victims = new Victims(world, 3);
    world.answer = () => ({ error: { code: "internal", message: "no" } });
    for (let run = 0; run < 150; run++) {
      const call = victims.below(6);
      const result = victims.below(3) === 0 ? victims.number() : 65_536;
      const payload = Uint8Array.of(...u32s(call, result), ...victims.numbers(28));
      assert.notEqual(await victims.attack("raw", payload), "survived");
    }
    assert.ok(world.calls.length > 0, "nothing that was forged held together");
  });

  it("results is told its place, or returns something that is whole", async () => {
    await using world = await inlineGuest("probe");
    const victims = new Victims(world, 4);
    const seen = new Set<string>();
    for (let run = 0; run < 150; run++) {
      const kind = victims.below(8) === 0 ? victims.number() : victims.below(2);
      const payload = Uint8Array.of(...u32s(kind, victims.below(13)), ...victims.numbers(5));
      seen.add(await victims.attack("finish", payload));
    }
    assert.deepEqual([...seen].sort(), ["survived", "trapped"]);
  });

  it("handles and codes is told that they are not its own", async () => {
    await using world = await inlineGuest("probe");
    world.answer = () => new Promise(() => {});
    const victims = new Victims(world, 5);
    for (let run = 0; run < 50; run++) {
      assert.equal(await victims.attack("join", victims.numbers(2)), "trapped");
      const code = victims.number() | 16;
      if ((code & 15) !== 2) assert.equal(await victims.attack("bad-code", u32s(code)), "trapped");
    }
  });

  it("has no more lists than its node has room for", async () => {
    await using world = await inlineGuest("probe", { memoryBytes: 256 * 1024 });
    const victims = new Victims(world, 6);
    const chunk = u32s(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const parts = u32s(0, 0, 0, 0, 0, 0, 131_072, 4_000, 0, 0, 0, 0, 0, 0);
    const payload = Uint8Array.of(...u32s(3, 65_536), ...chunk, ...parts);
    assert.equal(await victims.attack("raw", payload), "resource_limit");
    assert.equal(world.calls.length, 0);
  });

  it("answers for what it asked before it is gone", async () => {
    await using world = await inlineGuest("probe");
    const probe = await world.instance();
    world.answer = () => Promise.reject(new Error("of ours"));
    const failed = await probe.dispatch("call", callPayload("r"));
    assert.ok("error" in failed && failed.error.code === "internal");
  });
});
