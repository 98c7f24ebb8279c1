import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testNode } from "@roost/edge/testing";
import { InspectorClient } from "./inspector_client.ts";
import { app, inspectToken, openNode, sends } from "./support.ts";

const byKey = (path: string, key: string): string =>
  `/gateway/room/inspector${path}?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=${key}`;
const headers = { authorization: `bearer ${inspectToken}` };

describe("/gateway/…/inspector", () => {
  it("[H-91] is the inspector of an actor as its clients address it, and answers 401 without the token", async () => {
    await using t = await openNode();
    const id = await t.actors.room.get("a").resolve();
    for (const path of [byKey("/state", "a"), `/actors/gateway/${id}/inspector/state`]) {
      const refused = await t.fetch(path);
      assert.equal(refused.status, 401);
      const { group, code } = await refused.json();
      assert.deepEqual([group, code], ["inspector", "unauthorized"]);
      const patched = await t.fetch(path, { headers, ...sends("PATCH", { state: { count: 3 } }) });
      assert.deepEqual(await patched.json(), { ok: true });
      const { state } = await (await t.fetch(path, { headers })).json();
      assert.deepEqual(state, { count: 3 });
    }
    const unknown = await t.fetch(byKey("/nothing", "a"), { headers });
    assert.deepEqual([unknown.status, (await unknown.json()).code], [404, "not_found"]);
  });

  it("makes no actor, and needs no token of the actors", async () => {
    await using t = await testNode(app, { inspectToken, actorToken: "other" });
    await t.actors.room.get("a").add(1);
    assert.equal((await t.fetch(byKey("/summary", "a"), { headers })).status, 200);
    const missing = await t.fetch(byKey("/summary", "b"), { headers });
    assert.deepEqual([missing.status, (await missing.json()).code], [404, "not_found"]);
    assert.equal((await t.node.actors?.list("room", 10))?.length, 1);
  });

  it("is not there on a node without a token", async () => {
    await using t = await testNode(app);
    const id = await t.actors.room.get("a").resolve();
    const answer = await t.fetch(`/gateway/${id}/inspector/state`, { headers });
    assert.equal(answer.status, 404);
  });

  it("takes WebSockets", async () => {
    await using t = await openNode();
    await t.actors.room.get("a").add(1);
    const client = await InspectorClient.openAt(t, byKey("/connect", "a"));
    const [init] = client.tagged("Init");
    assert.match(JSON.stringify(init?.["state"]), /"count":1/);
    const wrong = await InspectorClient.openAt(t, byKey("/connect", "a"), "json", "wrong");
    assert.deepEqual(wrong.end, { code: 1008, reason: "inspector.unauthorized" });
    const none = await InspectorClient.openAt(t, byKey("/connect", "b"));
    assert.equal(none.end?.reason, "actor.not_found");
  });
});
