import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runningModule } from "../../adapters/running.ts";
import type { ServeOptions } from "../../adapters/serve/options.ts";
import { actor } from "../../src/actor.ts";
import { defineNode } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";

const counter = actor({
  state: (input: { start: number } | undefined) => ({ count: input?.start ?? 0 }),
  actions: {
    add(c, by: number) {
      c.state.count += by;
      return c.state.count;
    },
    get: (c) => ({ count: c.state.count, at: new Date(0), big: 5n, bytes: new Uint8Array([1]) }),
    refuse() {
      throw new ActrError("permission_denied", "not you", { details: { why: "test" } });
    },
  },
});

const app = defineNode({ actors: { counter } });
const limit = { timeout: 60_000 };

async function serving(more: ServeOptions = {}) {
  const running = await runningModule();
  const served = await running.serve(app, {
    port: 0,
    hostname: "127.0.0.1",
    log: running.silentLogger(),
    ...more,
  });
  return { running, served };
}

describe("actors of a node elsewhere", () => {
  it(
    "are called by key, with their types, values of every kind and errors as they were thrown",
    limit,
    async () => {
      const { running, served } = await serving();
      await using node = served;
      await using peer = await running.connect<typeof app>(node.url);
      const room = peer.actors.counter.get("room/1", { input: { start: 40 } });
      assert.equal(await room.add(2), 42);
      assert.deepEqual(await room.get(), {
        count: 42,
        at: new Date(0),
        big: 5n,
        bytes: new Uint8Array([1]),
      });
      const again = peer.actors.counter.withId(await room.resolve());
      assert.equal((await again.get()).count, 42);
      await assert.rejects(room.refuse(), {
        code: "permission_denied",
        message: "not you",
        details: { why: "test" },
      });
      const missing = peer.actors.counter.existing("none");
      await assert.rejects(missing.add(1), { code: "actor.not_found" });
      await assert.rejects(missing.resolve(), { code: "actor.not_found" });
      await assert.rejects(peer.actors.counter.create("room/1"), { code: "actor.duplicate_key" });
      await assert.rejects(peer.actors.counter.get("a,b").add(1), RangeError);
    },
  );

  it("are open to who has the token", limit, async () => {
    const { running, served } = await serving({ actorToken: "secret" });
    await using node = served;
    await using stranger = await running.connect<typeof app>(node.url);
    await assert.rejects(stranger.actors.counter.get("a").add(1), { code: "auth.forbidden" });
    await assert.rejects(stranger.actors.counter.create("a"), { code: "auth.forbidden" });
    await using friend = await running.connect<typeof app>(node.url, { actorToken: "secret" });
    assert.equal(await friend.actors.counter.get("a").add(1), 1);
    assert.ok(await friend.actors.counter.get("a").resolve());
  });

  it("are there with all that they answered after the node was started anew", limit, async () => {
    await using folder = await temporaryFolder();
    const store = `file:${join(folder.path, "node.db")}`;
    for (const expected of [1, 2]) {
      const { running, served } = await serving({ store });
      await using node = served;
      await using peer = await running.connect<typeof app>(node.url);
      assert.equal(await peer.actors.counter.get("a").add(1), expected);
    }
  });
});
