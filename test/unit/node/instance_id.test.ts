import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore, SeededRandom, testNode } from "@roost/edge/testing";
import { instanceIdOf } from "../../../src/node/instance_id.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { RecordingLogger } from "../identity/support.ts";
import { echoNode } from "./support.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("the instance id", () => {
  it("[N-17] is made once per store, and the same ever after", async () => {
    const [store, random, log] = [new MemoryStore(), new SeededRandom(1), new RecordingLogger()];
    const first = await instanceIdOf({ store, random, log });
    assert.match(first, uuid);
    assert.equal(await instanceIdOf({ store: store.reopen(), random, log }), first);
    assert.notEqual(await instanceIdOf({ store: new MemoryStore(), random, log }), first);
    assert.deepEqual(log.records, []);
  });

  it("is made anew, with a warning, when what is kept is damaged", async () => {
    const [store, random, log] = [new MemoryStore(), new SeededRandom(1), new RecordingLogger()];
    for (const damaged of ["", "not a uuid"]) {
      const value = utf8(damaged);
      await store.commit([{ kind: "record.put", space: "node", key: "instance", value }]);
      const made = await instanceIdOf({ store, random, log });
      assert.match(made, uuid);
      assert.equal(await instanceIdOf({ store, random, log }), made);
    }
    assert.deepEqual(log.levels("node.instance_id_damaged"), ["warn", "warn"]);
  });

  it("[N-17] outlives a restart of the node, and is shown by /health", {
    timeout: 60_000,
  }, async () => {
    await using t = await testNode(echoNode());
    const { instanceId } = t.node;
    const shown = (await (await t.fetch("/health")).json()) as Record<string, unknown>;
    assert.equal(shown["instance"], instanceId);
    for (const crash of [false, true]) {
      await t.restart({ crash });
      assert.equal(t.node.instanceId, instanceId);
    }
  });
});
