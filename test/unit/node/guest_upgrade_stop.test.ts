import assert from "node:assert/strict";
import { it } from "node:test";
import { ActrError } from "@roost/edge";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { withResolvers } from "../../../src/with_resolvers.ts";
import { FakeGuestHost, type Script } from "../../fixtures/fake_guest_host.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import { guestNode, ok, verified } from "../guest/workload_support.ts";

it("an upgrade that gets ready while its node stops is given up, and lets no request in", async () => {
  const held = withResolvers<void>();
  let holding = false;
  const script: Script = ({ entry }) => {
    if (entry.name !== "dispatch") return { ok: undefined };
    if (entry.envelope.routeKey !== "held") return ok("");
    holding = true;
    return held.promise.then(() => ok("held"));
  };
  const host = new FakeGuestHost(script);
  const limits = { entryTimeoutMs: 60_000 };
  await using t = await guestNode(script, { host, guest: { limits } });
  const peer = await t.peer();
  const first = peer.context.call(t.id, "held", utf8(""));
  await settledUntil(t.clock, "the request is held", () => holding);
  const loaded = withResolvers<void>();
  let loading = false;
  host.onLoad = async () => {
    loading = true;
    await loaded.promise;
  };
  const upgrade = t.node.upgrades?.upgrade(verified({ version: "2.0.0" }));
  let refused: ActrError | undefined;
  upgrade?.catch((error: ActrError) => {
    refused = error;
  });
  await settledUntil(t.clock, "the other is being loaded", () => loading);
  const stopped = t.node.stop();
  loaded.resolve();
  await settledUntil(t.clock, "the upgrade is given up", () => refused !== undefined);
  assert.equal(refused?.code, "stopping");
  const { gate } = t.node.inbound;
  assert.throws(() => gate.pause(new ActrError("unavailable", "wait")), { code: "stopping" });
  held.resolve();
  await first;
  await t.clock.through(stopped);
});
