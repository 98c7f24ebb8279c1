import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { defineNode } from "@roost/edge";
import { type TestNode, testNode } from "@roost/edge/testing";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { GuestQuota } from "../../../src/guest/life/quota.ts";
import type { VerifiedPackage } from "../../../src/guest/package/verified_package.ts";
import { wasmGuestHost } from "../../../src/guest/wasm/wasm_host.ts";
import { guestRuntime } from "../../../src/guest/workload/guest_runtime.ts";
import type { GuestHost, HostAnswer, HostCalls } from "../../../src/ports/guest_host.ts";
import { guestComponent } from "../../fixtures/guests/guest_component.ts";
import { scriptHost } from "../../fixtures/guests/script_host.ts";
import { verified } from "./workload_support.ts";

const limit = { timeout: 120_000 };
const probeScript = new URL("../../fixtures/guests/probe_script.js", import.meta.url);

/** The same probe in the kinds of guests that there are, and what runs them. */
const kinds: Readonly<Record<string, () => Promise<[VerifiedPackage, GuestHost]>>> = {
  component: async () => {
    const target = { path: "bin/actor.wasm", hash: "0".repeat(64), target: "wasm32-wasip2" };
    const manifest = { binary: { ...target, kind: "component" } } as const;
    const host = wasmGuestHost({ clock: systemClock(), random: new SeededRandom(1) });
    return [{ ...verified(manifest), binary: await guestComponent("probe") }, host];
  },
  script: async () => [{ ...verified(), binary: await readFile(probeScript) }, scriptHost()],
};

/** A node with a probe. @param start what its host answers to its on-start. @param entered is told of what has entered it, and how that ended. */
async function probeNode(
  make: () => Promise<[VerifiedPackage, GuestHost]>,
  start: HostAnswer,
  entered: (name: string, requestId: string, outcome: string) => void = () => {},
): Promise<TestNode> {
  const [its, inner] = await make();
  const answering = (calls: HostCalls): HostCalls => {
    return (call) => (call.name === "call" && call.routeKey === "on-start" ? start : calls(call));
  };
  const host: GuestHost = {
    async load(...code) {
      const image = await inner.load(...code);
      return {
        async instantiate(calls, signal) {
          const instance = await image.instantiate(answering(calls), signal);
          return {
            get memoryBytes() {
              return instance.memoryBytes;
            },
            async enter(entry, invocation) {
              const outcome = await instance.enter(entry, invocation);
              entered(entry.name, invocation.requestId, Object.keys(outcome).join());
              return outcome;
            },
            discard: () => instance.discard(),
          };
        },
        [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
      };
    },
  };
  const guests = guestRuntime({ quota: new GuestQuota(), host: () => host });
  const app = defineNode({ guest: { package: its, registersAs: "linked" } });
  return await testNode(app, { components: { guests } });
}

for (const [kind, make] of Object.entries(kinds)) {
  describe(`a guest that is a ${kind}, in a node`, () => {
    it("[N-15] whose on-start fails: the node does not start, with that error", limit, async () => {
      const error = { code: "invalid_argument", message: "no configuration" } as const;
      await assert.rejects(probeNode(make, { error }), {
        code: "invalid_argument",
        message: /no configuration/,
      });
    });

    it(
      "[N-137] hears what happens, of its start and its end, under ids of hooks that are told apart",
      limit,
      async () => {
        const told: string[] = [];
        const t = await probeNode(make, { ok: new Uint8Array() }, (...entered) =>
          told.push(entered.join(" ")),
        );
        t.node.hooks.emit("onMailboxBackpressure", { queueLength: 9, threshold: 4 });
        t.node.hooks.emit("onSignalingDisconnected", { reason: "lost" });
        await t.clock.settle();
        await t[Symbol.asyncDispose]();
        for (const expected of [
          "on-signaling-connecting hook:on_signaling_connecting ok",
          "on-signaling-connected hook:on_signaling_connected ok",
          "on-start lifecycle:on_start ok",
          "on-ready lifecycle:on_ready ok",
          "on-mailbox-backpressure hook:on_mailbox_backpressure ok",
          "on-signaling-disconnected hook:on_signaling_disconnected ok",
          "on-stop lifecycle:on_stop ok",
        ]) {
          assert.ok(told.includes(expected), `${expected} in ${told.join("; ")}`);
        }
        const named = new Map(told.map((each) => each.split(" ").slice(0, 2) as [string, string]));
        assert.equal(new Set(named.values()).size, named.size, "one id for each hook");
      },
    );
  });
}
