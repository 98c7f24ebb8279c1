import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { VerifiedPackage } from "../../../src/guest/package/verified_package.ts";
import type { HostCall } from "../../../src/ports/guest_host.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { FakeGuestHost, type Script } from "../../fixtures/fake_guest_host.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { asking, guestNode, shown, verified, type WithoutToken } from "./workload_support.ts";

const limit = { timeout: 60_000 };
const again: VerifiedPackage = { ...verified(), manifestBytes: utf8("again") };

describe("streams of a guest that another takes the place of", () => {
  it(
    "[GD-27] are the next one's from then on, whatever the first does at its end",
    limit,
    async () => {
      const told: string[] = [];
      const listen: WithoutToken<HostCall> = { name: "register-stream", streamId: "s" };
      const leave: WithoutToken<HostCall> = { name: "unregister-stream", streamId: "s" };
      const script: Script = async (entered) => {
        const ask = asking(entered);
        const { name } = entered.entry;
        if (name === "on-start") told.push(shown(await ask(listen)));
        if (name === "on-stop") told.push(shown(await ask(leave)), shown(await ask(listen)));
        return { ok: undefined };
      };
      const host = new FakeGuestHost(script);
      await using t = await guestNode(script, { host });
      const peer = await t.peer();
      const first = host.instance;
      await t.node.upgrades?.upgrade(again);
      assert.notEqual(host.instance, first);
      assert.deepEqual(told.slice(0, 3), ["ok", "ok", "ok"]);
      assert.match(told[3] ?? "", /^unavailable/);
      await peer.context.streams.send(t.id, "s", { payload: utf8("hello") });
      await settledUntil(t.clock, "the chunk has entered", () =>
        host.instance.entered.includes("on-data-chunk data-chunk:s:0"),
      );
      assert.ok(first.discarded);
    },
  );

  it(
    "[GD-27] are the first one's still when the next registers them and fails",
    limit,
    async () => {
      const script: Script = async (entered) => {
        const { entry, instance } = entered;
        if (entry.name !== "on-start") return { ok: undefined };
        await asking(entered)({ name: "register-stream", streamId: "s" });
        if (instance === host.instances[0]) return { ok: undefined };
        return { error: { code: "internal", message: "no licence" } };
      };
      const host = new FakeGuestHost(script);
      await using t = await guestNode(script, { host });
      const peer = await t.peer();
      await assert.rejects(t.node.upgrades?.upgrade(again) ?? Promise.resolve(), /no licence/);
      await peer.context.streams.send(t.id, "s", { payload: utf8("hello") });
      await settledUntil(
        t.clock,
        "the chunk has entered",
        () => host.instances[0]?.entered.at(-1) === "on-data-chunk data-chunk:s:0",
      );
    },
  );
});
