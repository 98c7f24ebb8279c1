import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultOf } from "../../../src/guest/fault.ts";
import { link } from "../../../src/guest/wasm/abi/linker.ts";
import type { HostCall } from "../../../src/ports/guest_host.ts";
import { bytesOf, type ProbeInstance } from "../../conformance/guest_world.ts";
import { inlineGuest } from "../../fixtures/guests/inline_guest.ts";
import { u32s } from "../../fixtures/guests/probe_guest.ts";

async function answerOf(
  guest: ProbeInstance,
  route: string,
  payload?: Uint8Array,
): Promise<Uint8Array> {
  const outcome = await guest.dispatch(route, payload);
  assert.ok("ok" in outcome && outcome.ok !== undefined);
  return outcome.ok;
}

function lines(calls: readonly HostCall[]): [string, string][] {
  return calls.map((call) => {
    assert.ok(call.name === "log-message");
    return [call.level, call.message];
  });
}

describe("WASI of components", () => {
  it("[GD-15] makes lines of the log of what is written, long ones in pieces", async () => {
    await using world = await inlineGuest("wasi");
    const guest = await world.instance();
    await guest.dispatch("o", bytesOf("one\ntw"));
    await guest.dispatch("e", bytesOf("bad\n"));
    await guest.dispatch("o", bytesOf("o\nünï\n"));
    assert.deepEqual(lines(world.calls), [
      ["info", "one"],
      ["warn", "bad"],
      ["info", "two"],
      ["info", "ünï"],
    ]);
    assert.equal(world.calls[0]?.token, 1n);
    world.calls.length = 0;
    await guest.dispatch("o", new Uint8Array(20_000).fill(0x61));
    assert.deepEqual(
      lines(world.calls).map(([, text]) => text.length),
      [8_192, 8_192],
    );
  });

  it("[GD-15] gives no input, no environment, no folder, no terminal", async () => {
    await using world = await inlineGuest("wasi");
    const guest = await world.instance();
    const input = await answerOf(guest, "i");
    assert.deepEqual([input[0], input[4]], [1, 1]);
    const environment = await answerOf(guest, "v");
    assert.deepEqual(environment.subarray(0, 9), new Uint8Array(9));
    assert.deepEqual(await answerOf(guest, "t"), Uint8Array.of(0));
  });

  it("gives time and randomness of the node, and what to poll is ready", async () => {
    await using world = await inlineGuest("wasi");
    const guest = await world.instance();
    const clocks = await answerOf(guest, "c");
    const view = new DataView(clocks.buffer, clocks.byteOffset);
    assert.ok(view.getBigUint64(8, true) > 1_000_000_000n);
    const [seed, other] = [await answerOf(guest, "s"), await answerOf(guest, "s")];
    assert.notDeepEqual(seed, other);
    assert.equal((await answerOf(guest, "r", new Uint8Array(40))).length, 40);
    assert.equal((await answerOf(guest, "n")).length, 8);
    assert.deepEqual(await answerOf(guest, "p"), u32s(0, 1));
  });

  it("ends a guest that exits, or wants randomness without end", async () => {
    await using world = await inlineGuest("wasi");
    const exiting = await world.instance();
    await assert.rejects(exiting.dispatch("x"), /exits with a failure/);
    const greedy = await world.instance();
    const asked = greedy.dispatch("r", new Uint8Array(70_000));
    await assert.rejects(asked, (error) => faultOf(error) === "resource_limit");
  });

  it("has nothing that reaches further: such imports are refused by name", () => {
    const refused = [
      ["wasi:filesystem/types@0.2.6", "[method]descriptor.read"],
      ["wasi:sockets/tcp@0.2.6", "[method]tcp-socket.start-connect"],
      ["wasi:http/outgoing-handler@0.2.6", "handle"],
      ["wasi:cli/environment@0.3.0", "get-environment"],
      ["wasi:cli/environment@0.2.6", "set-environment"],
      ["wasi:cli/toString@0.2.6", "call"],
      ["env", "abort"],
      ["$root", "toString"],
      ["$root", "[future-new-0]"],
      ["toString", "call"],
      ["__proto__", "toString"],
    ] as const;
    for (const [module, name] of refused) {
      assert.throws(
        () => link([{ module, name, parameters: [], results: [] }]),
        (error: Error) =>
          faultOf(error) === "load_failed" &&
          error.message.includes(`'${name}'`) &&
          error.message.includes(`'${module}'`),
      );
    }
  });
});
