import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode, type NodeInit } from "@roost/edge";
import { TestNode, TestWorld, testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { serviceSpec } from "../../../src/protocol/fingerprint/service_spec.ts";
import { compiledService } from "../../fixtures/compiled.ts";
import { RecordingLogger } from "../identity/support.ts";
import { echoNode } from "./support.ts";

const within = () => ({ signal: AbortSignal.timeout(60_000) });
const limit = { timeout: 60_000 };

describe("what a node announces", () => {
  it(
    "is what its services mean, by the name of its type, with their files as source",
    limit,
    async () => {
      await using t = await testNode(echoNode());
      const asker = await t.peer(defineNode({}));
      const { signaling } = asker.node.presence;
      const spec = await signaling.getServiceSpec("EchoService", within());
      const [file] = spec.files;
      assert.ok(file);
      assert.deepEqual([file.name, spec.files.length], ["echo.proto", 1]);
      assert.match(file.content, /^syntax = "proto3";\n\npackage echo;/);
      const known = await serviceSpec([EchoService], { name: "x", publishedAt: 0 });
      assert.equal(spec.fingerprint, known?.fingerprint);
      assert.equal(spec.publishedAt, Math.floor(t.clock.now() / 1000));
      const [listed] = await signaling.discover("acme", 9, within());
      assert.equal(listed?.fingerprint, spec.fingerprint);
    },
  );

  it("has the name, the words and the tags of the definition, or is nothing", limit, async () => {
    await using world = await TestWorld.open();
    const as = async (spec: NodeInit["spec"], type: string) =>
      await TestNode.start(world, { ...echoNode(), type, ...(spec === undefined ? {} : { spec }) });
    const asker = await as(false, "acme:Silent:1.0.0");
    await as({ name: "echo", description: "says it again", tags: ["a", "b"] }, "acme:Told:1.0.0");
    const { signaling } = asker.node.presence;
    const spec = await signaling.getServiceSpec("echo", within());
    assert.deepEqual([spec.description, spec.tags], ["says it again", ["a", "b"]]);
    await assert.rejects(signaling.getServiceSpec("Silent", within()), { code: "not_found" });
  });

  it("is another registration when it changes, and the same when it does not", limit, async () => {
    await using world = await TestWorld.open();
    const described = (description: string) => ({ ...echoNode(), spec: { description } });
    const first = await TestNode.start(world, described("one"));
    const { id, store } = first;
    await first.stop();
    const same = await TestNode.start(world, described("one"), { store: store.reopen() });
    assert.deepEqual(same.id, id);
    await same.stop();
    const changed = await TestNode.start(world, described("two"), { store: same.store.reopen() });
    assert.notEqual(changed.id.serial, id.serial);
  });

  it("leaves services out whose files have no fingerprint, and says why", limit, async () => {
    const log = new RecordingLogger();
    const descriptor = compiledService([
      { name: "odd.proto", syntax: "editions", services: ["Odd"] },
    ]);
    await using t = await testNode(
      defineNode({
        type: "acme:Odd:1.0.0",
        services: [{ kind: "service", descriptor, handlers: {} }],
      }),
      { log },
    );
    const [record] = log.records.filter(({ event }) => event === "identity.description.left_out");
    assert.match(String(record?.attributes["reason"]), /edition/);
    await assert.rejects(t.node.presence.signaling.getServiceSpec("Odd", within()), {
      code: "not_found",
    });
  });
});
