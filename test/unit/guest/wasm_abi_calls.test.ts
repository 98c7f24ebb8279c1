import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GuestFault } from "../../../src/guest/fault.ts";
import type { HostAnswer } from "../../../src/ports/guest_host.ts";
import { LateAnswers } from "../../conformance/guest_world.ts";
import { CoreGuest, coreLimits } from "../../fixtures/core_guest.ts";
import { rejectsWith } from "../../fixtures/guests/fails_by.ts";

/** What one entry does, and how it ends the guest. */
async function ends(
  begin: (guest: CoreGuest) => number,
  fault: GuestFault,
  text: RegExp,
): Promise<CoreGuest> {
  const guest = new CoreGuest();
  guest.begin = () => begin(guest);
  await rejectsWith(guest.dispatch(), fault, text);
  return guest;
}

/** All that is due now is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

const pending = (): Promise<HostAnswer> => new Promise(() => {});

describe("calls of a component", () => {
  it("name a place for the result that is its own before anything is asked", async () => {
    for (const [place, text] of [
      [65_536 - 24, /outside/],
      [1_028, /multiple of 8/],
    ] as const) {
      const guest = await ends((one) => one.call("call", {}, place), "trapped", text);
      assert.equal(guest.calls.length, 0);
    }
  });

  it("carry what their guest may have, each of them", async () => {
    const half = coreLimits.memoryBytes / 2;
    const guest = new CoreGuest();
    guest.begin = () => {
      for (let count = 0; count < 4; count++) guest.call("call", { 64: 0, 68: half });
      return guest.finish();
    };
    assert.deepEqual(await guest.dispatch(), { ok: new Uint8Array() });
    assert.equal(guest.calls.length, 4);
  });

  it("keep no more in the node than that, until they are answered", async () => {
    const guest = new CoreGuest();
    const answers = new LateAnswers();
    guest.answer = answers.ask;
    const ask = (): void => void guest.call("call", { 64: 0, 68: 40_000 });
    guest.begin = () => {
      ask();
      return guest.finish();
    };
    for (let count = 0; count < 3; count++) {
      await guest.dispatch();
      answers.give({ ok: new Uint8Array() });
      await turn();
    }
    guest.begin = () => {
      ask();
      ask();
      return guest.finish();
    };
    await rejectsWith(guest.dispatch(), "resource_limit", /calls in flight/);
  });

  it("are the last thing that an instance does which is discarded by one", async () => {
    const guest = new CoreGuest();
    let wentOn = false;
    guest.answer = () => {
      guest.instance.discard();
      return { ok: new Uint8Array() };
    };
    guest.begin = () => {
      guest.call("tell");
      wentOn = true;
      return 0;
    };
    await rejectsWith(guest.dispatch(), "discarded", /was discarded/);
    assert.equal(wentOn, false);
  });

  it("have their result written where nobody gave them up", async () => {
    const guest = new CoreGuest();
    const answers = new LateAnswers();
    guest.answer = answers.ask;
    guest.begin = () => {
      const handle = guest.call("call") >> 4;
      assert.equal(guest.task("subtask-cancel", handle), 4);
      guest.view.setUint8(1_024, 77);
      return guest.finish();
    };
    await guest.dispatch();
    answers.give({ error: { code: "internal", message: "late" } });
    await turn();
    assert.equal(guest.view.getUint8(1_024), 77);
  });

  it("end once: what has ended is not given up, what has not is not forgotten", async () => {
    await ends(
      (guest) => {
        guest.answer = pending;
        const handle = guest.call("call") >> 4;
        guest.task("subtask-cancel", handle);
        return guest.task("subtask-cancel", handle);
      },
      "trapped",
      /a call that has ended is cancelled/,
    );
    await ends(
      (guest) => {
        guest.answer = pending;
        return guest.task("subtask-drop", guest.call("call") >> 4);
      },
      "trapped",
      /dropped that has not ended/,
    );
  });
});

describe("entries of a component", () => {
  it("come after an initialiser, which has the fuel of one, and is no entry", async () => {
    let given = 0;
    const guest = new CoreGuest({}, (one) => {
      given = one.fuel.value;
      assert.throws(() => one.call("tell"), /outside of an entry/);
    });
    assert.equal(given, coreLimits.fuel);
    await rejectsWith(guest.dispatch(), "trapped", /outside of an entry/);
    assert.equal(guest.calls.length, 0);
  });

  it("pay for the bytes that they return", async () => {
    const guest = new CoreGuest();
    const left: number[] = [];
    for (const length of [0, 10_000]) {
      guest.begin = () => {
        guest.finish(0, length);
        left.push(guest.bridge.meter.left);
        return 0;
      };
      await guest.dispatch();
    }
    assert.equal((left[0] as number) - (left[1] as number), 10_000);
  });

  it("return results of their own", async () => {
    const wrong = /dispatch returns a result of on-start/;
    await ends((guest) => guest.finish(0, 0, "on-start"), "trapped", wrong);
  });

  it("raise no less backpressure than none", async () => {
    const less = /less than no backpressure/;
    await ends((guest) => guest.task("backpressure-dec"), "trapped", less);
  });

  it("drop no set on which one of them waits, or in which a call is", async () => {
    const guest = new CoreGuest();
    const set = { handle: 0 };
    guest.begin = () => {
      set.handle = guest.task("waitable-set-new");
      return (set.handle << 4) | 2;
    };
    const waiting = rejectsWith(guest.dispatch(), "discarded", /another entry/);
    guest.begin = () => guest.task("waitable-set-drop", set.handle);
    await rejectsWith(guest.dispatch(), "trapped", /a set is dropped that is in use/);
    await waiting;
    await ends(
      (one) => {
        one.answer = pending;
        const taken = one.task("waitable-set-new");
        one.task("waitable-join", one.call("call") >> 4, taken);
        return one.task("waitable-set-drop", taken);
      },
      "trapped",
      /a set is dropped that is in use/,
    );
  });
});

describe("stand-ins for a system", () => {
  const streams = "wasi:io/streams@0.2.3";
  const write = "[method]output-stream.write";

  it("take 64 KiB at once, and a point for each byte", async () => {
    const guest = new CoreGuest({ memoryBytes: 2 ** 20 });
    const left: number[] = [];
    for (const length of [0, 65_536]) {
      guest.begin = () => {
        guest.import(streams, write)(2, 0, length, 1_024);
        left.push(guest.bridge.meter.left);
        return guest.finish();
      };
      await guest.dispatch();
    }
    const [none = 0, all = 0] = left;
    assert.ok(none - all >= 65_536, `${none - all} points`);
    const more = (one: CoreGuest): number => one.import(streams, write)(2, 0, 65_537, 1_024);
    await ends(more, "trapped", /more than 65536 bytes/);
  });

  it("give 64 KiB of randomness at once, whatever the sign of what is wanted", async () => {
    const random = "wasi:random/random@0.2.0";
    for (const length of [65_537n, -1n]) {
      const ask = (one: CoreGuest): number => one.import(random, "get-random-bytes")(length, 0);
      await ends(ask, "resource_limit", /65536 random bytes/);
    }
  });
});
