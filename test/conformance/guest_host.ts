import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultOf, type GuestFault } from "../../src/guest/fault.ts";
import type { GuestEntry, GuestKind } from "../../src/ports/guest_host.ts";
import {
  callPayload,
  chunkPayload,
  errorPayload,
  probeModes,
  u64,
} from "../fixtures/guests/probe_guest.ts";
import { dataChunk, guestErrors, nodeError, observations } from "./guest_samples.ts";
import {
  bytesOf,
  callerId,
  type GuestHostFixture,
  GuestWorld,
  guestLimits,
  LateAnswers,
  never,
  selfId,
} from "./guest_world.ts";

const nothing = new Uint8Array();

async function rejectsWith(entered: Promise<unknown>, ...faults: GuestFault[]): Promise<void> {
  await assert.rejects(entered, (error) => {
    const fault = faultOf(error);
    assert.ok(fault !== undefined && faults.includes(fault), `${fault}, not ${faults}: ${error}`);
    return true;
  });
}

/** What every GuestHost must do; `open` gives the host and a probe for it, which is no script unless `kind` says so. */
export function guestHostConformance(
  name: string,
  open: () => Promise<GuestHostFixture>,
  kind: GuestKind = "wasm",
): void {
  /** How it ends when the probe traps: an engine ends what a script can, but for its limits. */
  const trapped: GuestFault = kind === "script" ? "resource_limit" : "trapped";
  describe(`guest host: ${name}`, { timeout: 120_000 }, () => {
    describe("requests", () => {
      it("[G-55] carries payloads of every size there and back", async () => {
        await using world = await GuestWorld.open(open);
        const probe = await world.instance();
        for (const length of [0, 1, 1_024, 200_000]) {
          const payload = new Uint8Array(length).map((_, index) => index * 7);
          assert.deepEqual(await probe.dispatch("echo", payload), { ok: payload });
        }
        assert.equal(world.calls.length, 0);
      });

      it("[G-61] [G-64] hands on every error that a guest returns, and the guest serves on", async () => {
        await using world = await GuestWorld.open(open);
        const probe = await world.instance();
        for (const error of guestErrors) {
          const delay = error.retryAfterMs === undefined ? undefined : BigInt(error.retryAfterMs);
          const payload = errorPayload(error.code, error.message, delay);
          assert.deepEqual(await probe.dispatch("error", payload), { error });
        }
        const unknown = { code: "unknown_route", message: "no.such" };
        assert.deepEqual(await probe.dispatch("no.such"), { error: unknown });
        assert.deepEqual(await probe.dispatch("count"), { ok: u64(1n) });
      });

      it("keeps what a guest remembers to its instance", async () => {
        await using world = await GuestWorld.open(open);
        const [one, other] = [await world.instance(), await world.instance()];
        for (const count of [1n, 2n])
          assert.deepEqual(await one.dispatch("count"), { ok: u64(count) });
        assert.deepEqual(await other.dispatch("count"), { ok: u64(1n) });
        assert.ok(one.instance.memoryBytes > 0);
      });

      it("[G-59] lets entries of two instances overlap", async () => {
        await using world = await GuestWorld.open(open);
        const answers = new LateAnswers();
        world.answer = answers.ask;
        const [one, other] = [await world.instance(), await world.instance()];
        const both = [one, other].map((probe) => probe.dispatch("call", callPayload("slow")));
        await answers.arrived(2);
        answers.give({ ok: bytesOf("a") });
        answers.give({ ok: bytesOf("b") });
        assert.deepEqual(await Promise.all(both), [{ ok: bytesOf("a") }, { ok: bytesOf("b") }]);
      });

      it("[G-60] lets others run wherever the guest awaits its node: entries, and its own thread", async () => {
        await using world = await GuestWorld.open(open);
        const answers = new LateAnswers();
        world.answer = answers.ask;
        const probe = await world.instance();
        const first = probe.dispatch("call", callPayload("slow"));
        const second = probe.dispatch("call", callPayload("slow"));
        await answers.arrived(2);
        await new Promise((resolve) => setTimeout(resolve));
        assert.deepEqual(await probe.dispatch("echo", bytesOf("meanwhile")), {
          ok: bytesOf("meanwhile"),
        });
        answers.give({ ok: bytesOf("second") }, 1);
        assert.deepEqual(await second, { ok: bytesOf("second") });
        answers.give({ ok: bytesOf("first") });
        assert.deepEqual(await first, { ok: bytesOf("first") });
      });
    });

    describe("calls of the node", () => {
      it("lets others run when a guest gives way", async (t) => {
        if (kind === "script") return t.skip("a script gives way only where it awaits its node");
        await using world = await GuestWorld.open(open);
        const probe = await world.instance();
        const order: string[] = [];
        const yielding = probe.dispatch("yield").then(() => order.push("yielded"));
        await probe.dispatch("count").then(() => order.push("counted"));
        await yielding;
        assert.deepEqual(order, ["counted", "yielded"]);
      });

      it("asks for what the guest says, under the token of its entry", async () => {
        await using world = await GuestWorld.open(open);
        const probe = await world.instance();
        const payload = bytesOf("payload");
        const target = { kind: "peer", id: selfId } as const;
        assert.deepEqual(await probe.dispatch("call", callPayload("a.b", payload)), {
          ok: payload,
        });
        assert.deepEqual(await probe.dispatch("tell", callPayload("a.ü", payload, "workload")), {
          ok: nothing,
        });
        assert.deepEqual(await probe.dispatch("call", callPayload("", payload, "peer")), {
          ok: payload,
        });
        assert.deepEqual(await probe.dispatch("call-raw", callPayload("c", payload)), {
          ok: payload,
        });
        assert.deepEqual(world.calls, [
          { name: "call", token: 1n, target: { kind: "host" }, routeKey: "a.b", payload },
          { name: "tell", token: 2n, target: { kind: "workload" }, routeKey: "a.ü", payload },
          { name: "call", token: 3n, target, routeKey: "", payload },
          { name: "call-raw", token: 4n, target: selfId, routeKey: "c", payload },
        ]);
      });

      it("asks for streams, chunks, nodes and lines of the log", async () => {
        await using world = await GuestWorld.open(open);
        world.answer = (call) => ({ ok: call.name === "discover" ? callerId : undefined });
        const probe = await world.instance();
        await probe.dispatch("register", bytesOf("s"));
        await probe.dispatch("unregister", bytesOf("s"));
        await probe.dispatch("send", chunkPayload("s", bytesOf("piece"), 3));
        await probe.dispatch("log", bytesOf("a line"));
        const found = await probe.dispatch("discover");
        assert.ok("ok" in found && found.ok !== undefined);
        assert.deepEqual([...found.ok.subarray(0, 5)], [7, 0, 0, 0, 9]);
        const chunk = {
          streamId: "s",
          sequence: 7n,
          payload: bytesOf("piece"),
          metadata: [{ key: "k", value: "s" }],
          timestampMs: -1_234_567_890_123n,
        };
        assert.deepEqual(world.calls, [
          { name: "register-stream", token: 1n, streamId: "s" },
          { name: "unregister-stream", token: 2n, streamId: "s" },
          { name: "send-data-chunk", token: 3n, target: { kind: "host" }, chunk, lane: 3 },
          { name: "log-message", token: 4n, level: "info", message: "a line" },
          { name: "discover", token: 5n, type: selfId.type },
        ]);
      });

      it("[GD-8] tells the guest every error as it is, at once or later", async () => {
        await using world = await GuestWorld.open(open);
        const probe = await world.instance();
        const routes = ["call", "tell", "call-raw", "discover", "register", "send"];
        for (const [index, error] of guestErrors.entries()) {
          world.answer = () => (index % 2 === 0 ? { error } : Promise.resolve({ error }));
          const route = routes[index % routes.length] as string;
          const payload = route === "send" ? chunkPayload("s", nothing) : callPayload("r");
          assert.deepEqual(await probe.dispatch(route, payload), { error }, route);
        }
      });

      it("takes two calls of one entry at once, and their answers in any order", async () => {
        await using world = await GuestWorld.open(open);
        const answers = new LateAnswers();
        world.answer = answers.ask;
        const probe = await world.instance();
        const both = probe.dispatch("pair", callPayload("r", bytesOf("xy")));
        await answers.arrived(2);
        answers.give({ ok: bytesOf("two") }, 1);
        answers.give({ ok: bytesOf("one") });
        assert.deepEqual(await both, { ok: bytesOf("onetwo") });
        const one = probe.dispatch("chain", callPayload("r", Uint8Array.of(3)));
        for (let left = 3; left > 0; left--) {
          await answers.arrived(1);
          answers.give({ ok: Uint8Array.of(left) });
        }
        assert.deepEqual(await one, { ok: Uint8Array.of(1) });
      });

      it("passes a token on that the guest made up, for its node to judge", async (t) => {
        if (kind === "script") return t.skip("a script has contexts, not tokens");
        await using world = await GuestWorld.open(open);
        const probe = await world.instance();
        await probe.dispatch("forge", Uint8Array.of(...u64(2n ** 64n - 1n), ...callPayload("r")));
        assert.equal(world.calls[0]?.token, 2n ** 64n - 1n);
      });
    });

    describe("other entries", () => {
      it("[G-65] lets on-start call the node, and requests come after it", async () => {
        await using world = await GuestWorld.open(open);
        world.answer = async () => ({ ok: nothing });
        const probe = await world.instance();
        assert.ok("ok" in (await probe.enter({ name: "on-start" })));
        assert.deepEqual(world.calls, [
          {
            name: "call",
            token: 1n,
            target: { kind: "host" },
            routeKey: "on-start",
            payload: bytesOf("on-start"),
          },
        ]);
        assert.ok("ok" in (await probe.dispatch("echo")));
      });

      it("tells the error of an on-start that fails", async () => {
        await using world = await GuestWorld.open(open);
        const error = { code: "not_found", message: "no settings" } as const;
        world.answer = () => ({ error });
        const probe = await world.instance();
        assert.deepEqual(await probe.enter({ name: "on-start" }), { error });
      });

      it("[G-82] lets every entry run that observes, begins or ends", async () => {
        await using world = await GuestWorld.open(open);
        const probe = await world.instance();
        const others: GuestEntry[] = [{ name: "on-ready" }, nodeError, dataChunk("s", nothing)];
        for (const entry of [...others, ...observations, { name: "on-stop" } as const]) {
          assert.deepEqual(await probe.enter(entry), { ok: undefined }, entry.name);
        }
      });

      it("[G-56] lets a captured context speak while a chunk of its stream is handled", async () => {
        await using world = await GuestWorld.open(open);
        const probe = await world.instance();
        await probe.dispatch("capture", bytesOf("s"));
        assert.deepEqual(await probe.enter(dataChunk("s", bytesOf("piece"))), { ok: undefined });
        assert.deepEqual(world.calls, [
          { name: "register-stream", token: 1n, streamId: "s" },
          {
            name: "call",
            token: 1n,
            target: { kind: "host" },
            routeKey: "captured",
            payload: bytesOf("piece"),
          },
        ]);
      });
    });

    describe("faults", () => {
      it("[G-62] [G-63] ends the instance of a guest that traps, and no other", async () => {
        await using world = await GuestWorld.open(open);
        const healthy = await world.instance();
        for (let round = 0; round < 2; round++) {
          world.calls.length = 0;
          const probe = await world.instance();
          await rejectsWith(probe.dispatch("trap-after", callPayload("once")), trapped);
          assert.equal(world.calls.length, 1);
          await rejectsWith(probe.dispatch("echo"), "discarded", trapped);
        }
        assert.ok("ok" in (await healthy.dispatch("echo")));
      });

      it("fails the others that were in flight with the one that trapped", async () => {
        await using world = await GuestWorld.open(open);
        const answers = new LateAnswers();
        world.answer = answers.ask;
        const probe = await world.instance();
        const sibling = probe.dispatch("call", callPayload("slow"));
        await answers.arrived(1);
        await rejectsWith(probe.dispatch("trap"), trapped);
        await rejectsWith(sibling, "discarded");
        answers.give({ ok: nothing });
      });

      for (const [what, entry] of spinning()) {
        it(`stops a guest that spins in ${what}`, async () => {
          await using world = await GuestWorld.open(open);
          const probe = await world.instance();
          await probe.dispatch("mode", Uint8Array.of(probeModes.spin));
          const entered = entry === undefined ? probe.dispatch("spin") : probe.enter(entry);
          await rejectsWith(entered, "out_of_fuel", "interrupted");
        });
      }

      it("stops a guest that takes all memory, or all stack", async () => {
        await using world = await GuestWorld.open(open);
        const greedy = await world.instance();
        await rejectsWith(greedy.dispatch("bomb", Uint8Array.of(1)), "resource_limit", "trapped");
        const deep = await world.instance();
        if (kind === "wasm")
          await rejectsWith(deep.dispatch("recurse"), "trapped", "resource_limit");
        else assert.ok("error" in (await deep.dispatch("recurse")));
        assert.ok("ok" in (await (await world.instance()).dispatch("echo")));
      });

      it("stops a guest that floods its node", async () => {
        await using world = await GuestWorld.open(open, { fuel: 2_000_000 });
        const logging = await world.instance();
        const faults = ["out_of_fuel", "interrupted", "resource_limit"] as const;
        await rejectsWith(logging.dispatch("log-flood", new Uint8Array(8_192)), ...faults);
        world.answer = () => new Promise(() => {});
        const calling = await world.instance();
        await rejectsWith(calling.dispatch("call-flood", callPayload("r")), ...faults);
        assert.ok(world.calls.length <= 20_000, `${world.calls.length} calls`);
      });

      it("ends what is in flight when an instance is discarded, and hears of it no more", async () => {
        await using world = await GuestWorld.open(open);
        const answers = new LateAnswers();
        world.answer = answers.ask;
        const probe = await world.instance();
        const entered = probe.dispatch("call", callPayload("slow"));
        const waiting = probe.dispatch("never");
        await answers.arrived(1);
        probe.instance.discard();
        probe.instance.discard();
        await rejectsWith(entered, "discarded");
        await rejectsWith(waiting, "discarded");
        await rejectsWith(probe.dispatch("echo"), "discarded");
        answers.give({ ok: nothing });
      });
    });

    describe("loading", () => {
      it("[G-45] refuses what is no code", async () => {
        await using fixture = await open();
        const { host, probe } = fixture;
        for (const binary of [nothing, new Uint8Array(100).fill(0xff)]) {
          if (probe.kind === "script" && binary.length === 0) continue;
          const loaded = host.load({ ...probe, binary }, guestLimits, never);
          await rejectsWith(
            loaded.then((image) => image.instantiate(() => ({ ok: undefined }), never)),
            "load_failed",
            "init_failed",
          );
        }
      });

      it("[G-46] refuses code that is too long, and tells so", async () => {
        await using fixture = await open();
        const { host, probe } = fixture;
        const limits = { ...guestLimits, codeBytes: probe.binary.length - 1 };
        await rejectsWith(host.load(probe, limits, never), "resource_limit");
      });

      it("gives up with the reason of its signal", async () => {
        await using fixture = await open();
        const { host, probe } = fixture;
        const aborted = AbortSignal.abort(new Error("enough"));
        await assert.rejects(host.load(probe, guestLimits, aborted), /enough/);
        await using image = await host.load(probe, guestLimits, never);
        await assert.rejects(
          image.instantiate(() => ({ ok: undefined }), aborted),
          /enough/,
        );
      });
    });
  });
}

/** Entries in which a guest can spin, one of each form. */
function spinning(): [string, GuestEntry | undefined][] {
  const [hook] = observations;
  return [
    ["a request", undefined],
    ["on-ready", { name: "on-ready" }],
    ["a hook", hook],
    ["a chunk", dataChunk("s", nothing)],
  ];
}
