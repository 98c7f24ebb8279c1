import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { faultOf } from "../../../src/guest/fault.ts";
import { CoreInstance } from "../../../src/guest/wasm/abi/core_instance.ts";
import { FuelMeter } from "../../../src/guest/wasm/abi/fuel_meter.ts";
import type { EntryFunctions } from "../../../src/guest/wasm/abi/guest_exports.ts";
import { GuestMemory } from "../../../src/guest/wasm/abi/guest_memory.ts";
import { hostLinks } from "../../../src/guest/wasm/abi/host_links.ts";
import { importsFor, link } from "../../../src/guest/wasm/abi/linker.ts";
import { returnLinks } from "../../../src/guest/wasm/abi/return_links.ts";
import { ownTaskLinks, taskLinks } from "../../../src/guest/wasm/abi/task_links.ts";
import { wasiLinks } from "../../../src/guest/wasm/abi/wasi/wasi_links.ts";
import type { EntryOutcome, GuestEntry, HostCalls } from "../../../src/ports/guest_host.ts";
import { guestLimits, LateAnswers, selfId } from "../../conformance/guest_world.ts";
import { inlineGuest } from "../../fixtures/guests/inline_guest.ts";
import { callPayload } from "../../fixtures/guests/probe_guest.ts";

const fuel = 1_000_000;
const pageBytes = 65_536;

/** Every function that guests may import, by its interface. */
const interfaces = {
  "actr:workload/host@0.2.0": hostLinks,
  "[export]actr:workload/workload@0.2.0": returnLinks,
  $root: taskLinks,
  "[export]$root": ownTaskLinks,
  ...Object.fromEntries(Object.entries(wasiLinks).map(([name, links]) => [`${name}@0.2.3`, links])),
};
const all = Object.entries(interfaces).flatMap(([module, links]) =>
  Object.keys(links).map((name) => ({ module, name, parameters: [], results: [] })),
);

type Import = (...values: unknown[]) => unknown;

/** A guest that is JavaScript under the rules of a component: `begin` is what it does when it is entered. */
class StandIn {
  readonly counter = new WebAssembly.Global({ value: "i32", mutable: true }, fuel);
  readonly meter = new FuelMeter(this.counter as WebAssembly.Global<"i32">);
  readonly memory = new WebAssembly.Memory({ initial: 4 });
  readonly instance: CoreInstance;
  readonly #imports: WebAssembly.Imports;
  begin: () => number = () => 0;

  constructor(calls: HostCalls) {
    const components = { clock: new FakeClock(), random: new SeededRandom(1) };
    this.instance = new CoreInstance(components, calls, { ...guestLimits, fuel });
    this.#imports = importsFor(this.instance.bridge, link(all));
    const denied = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
    const functions: EntryFunctions = { begin: () => this.begin(), back: () => 0 };
    const entries = { dispatch: functions } as Record<GuestEntry["name"], EntryFunctions>;
    this.instance.attach({
      memory: new GuestMemory(this.memory, () => pageBytes, guestLimits.memoryBytes),
      meter: this.meter,
      denied: denied as WebAssembly.Global<"i32">,
      entries,
      initialize: undefined,
    });
  }

  /** A function as the guest has it. */
  imported(module: string, name: string): Import {
    return this.#imports[module]?.[name] as Import;
  }

  enter(): Promise<EntryOutcome> {
    const envelope = { requestId: "r", routeKey: "r", payload: new Uint8Array() };
    return this.instance.enter(
      { name: "dispatch", envelope },
      { token: 1n, selfId, requestId: "r" },
    );
  }
}

const ok: HostCalls = () => ({ ok: new Uint8Array() });

describe("what a component's imports cost it", () => {
  it("[G-58] is fuel, for each of them: a straight run of calls is no way past the limit", async () => {
    for (const { module, name } of all) {
      const guest = new StandIn(ok);
      let taken = 0;
      guest.begin = () => {
        try {
          guest.imported(module, name)(0, 0, 0, 0);
        } catch {
          // What it was given made no sense: that costs, too.
        }
        taken = fuel - guest.meter.left;
        return 0;
      };
      await guest.enter().catch(() => {});
      assert.ok(taken >= 100, `${module} ${name} costs ${taken}`);
    }
  });

  it("is never more than numbers in return, whatever types the guest says that they have", async () => {
    let called = 0;
    const fn = () => ++called;
    const odd = [0n, -1n, 2n ** 64n, Number.NaN, -1, 1.5, 2 ** 32, null, undefined, fn];
    for (const { module, name } of all) {
      for (const value of odd) {
        const guest = new StandIn(ok);
        let given: unknown;
        guest.begin = () => {
          given = guest.imported(module, name)(value, value, value, value, value, value);
          return 0;
        };
        await guest.enter().catch((error) => assert.ok(faultOf(error), `${name}: ${error}`));
        assert.match(typeof given, /^(undefined|number|bigint)$/, `${module} ${name}`);
      }
    }
    assert.equal(called, 0);
  });

  it("[G-58] is fuel for each line that it writes, and what it writes at once is limited", async () => {
    await using world = await inlineGuest("wasi");
    const written = async (newlines: number): Promise<unknown> =>
      (await world.instance())
        .dispatch("o", new Uint8Array(newlines).fill(0x0a))
        .then(() => undefined, faultOf);
    assert.equal(await written(1_000), undefined);
    assert.equal(await written(60_000), "out_of_fuel");
    assert.equal(await written(70_000), "trapped");
  });

  it("counts a call that was given up until the node has done with it", async () => {
    await using world = await inlineGuest("probe");
    const late = new LateAnswers();
    world.answer = late.ask;
    const probe = await world.instance();
    const give = () => probe.dispatch("cancel", callPayload("a", new Uint8Array(10 << 20)));
    for (let call = 0; call < 3; call++) assert.ok("ok" in (await give()));
    await assert.rejects(give(), (error) => faultOf(error) === "resource_limit");
  });

  it("reaches the node only with stack enough for the node's own code", async () => {
    const done = { begun: 0, ended: 0 };
    const work = (depth: number): number => (depth === 0 ? 1 : work(depth - 1) + 1);
    const guest = new StandIn(() => {
      done.begun += 1;
      done.ended += work(100) === 101 ? 1 : 0;
      return { ok: undefined };
    });
    const log = guest.imported("actr:workload/host@0.2.0", "[async-lower]log-message");
    // At every depth near the end of the stack the guest asks, and catches what that throws.
    const descend = (): void => {
      try {
        descend();
      } catch {}
      try {
        log(0);
      } catch {}
    };
    guest.begin = () => {
      new DataView(guest.memory.buffer).setBigUint64(0, 1n, true);
      descend();
      return 0;
    };
    await assert.rejects(guest.enter(), (error) => faultOf(error) !== undefined);
    assert.ok(done.begun > 0, "where there is stack enough it is asked");
    assert.equal(done.ended, done.begun);
  });
});
