import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testNode } from "../../../adapters/memory/test_node.ts";
import { actor } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import { httpApp } from "../../../src/http/app.ts";
import { type LogLine, recorder } from "../host/support.ts";

const limit = { timeout: 60_000 };

const thing = actor({
  state: () => ({ count: 0 }),
  actions: {
    add: (c, by: number) => (c.state.count += by),
    text: () => {
      throw new ActrError("permission_denied", "not yours", { details: { owner: "b" } });
    },
    crash: () => {
      throw new Error("secret of the host");
    },
  },
  async onDisconnect(c) {
    await new Promise((resolve) => c.signal.addEventListener("abort", resolve));
  },
});

const app = defineNode({ actors: { thing } });
const query = "?rvt-namespace=default&rvt-method=getOrCreate&rvt-key=";

function post(args: readonly unknown[] = []): RequestInit {
  return { method: "POST", body: JSON.stringify({ args }) };
}

describe("the gateway of actors", () => {
  it("refuses what is no address, or no message, as the client's mistake", limit, async () => {
    await using t = await testNode(app);
    const long = "k".repeat(2000);
    const key = JSON.stringify({ name: "thing", key: long });
    const wrong: [string, RequestInit, string][] = [
      [`/gateway/thing/action/%zz${query}a`, post(), "invalid_request"],
      [`/gateway/%zz/action/add${query}a`, post(), "invalid_request"],
      [`/gateway/thing/action/add${query}${long}`, post(), "invalid_request"],
      [`/actors?name=thing&key=${long}`, {}, "invalid_request"],
      ["/actors", { method: "PUT", body: key }, "invalid_request"],
      [`/gateway/thing/action/add${query}a`, { method: "POST", body: "{" }, "invalid_http_request"],
      [`/gateway/thing/queue/x${query}a`, { method: "POST", body: "[]" }, "invalid_http_request"],
    ];
    for (const [path, init, code] of wrong) {
      const answer = await t.fetch(path, init);
      assert.equal(answer.status, 400, path.slice(0, 40));
      assert.equal((await answer.json()).code, code, path.slice(0, 40));
    }
  });

  it("answers without waiting for the hook of the client that goes", limit, async () => {
    await using t = await testNode(app);
    const answer = await t.fetch(`/gateway/thing/action/add${query}a`, post([1]));
    assert.equal(answer.status, 200);
  });

  it(
    "[H-37] hides what is not for strangers, and logs it; tells the rest as it is",
    limit,
    async () => {
      const lines: LogLine[] = [];
      await using t = await testNode(app, { log: recorder(lines) });
      const crash = await t.fetch(`/gateway/thing/action/crash${query}a`, post());
      assert.equal(crash.status, 500);
      const { actor: _, ...hidden } = await crash.json();
      const message = "An internal error occurred";
      assert.deepEqual(hidden, { group: "actor", code: "internal_error", message });
      const logged = lines.filter(({ event }) => event === "actor.request_failed");
      assert.equal(logged.length, 1);
      assert.match(String(logged[0]?.attributes["error"]), /secret of the host/);
      const told = await t.fetch(`/gateway/thing/action/text${query}a`, post());
      const { actor: __, ...shown } = await told.json();
      assert.deepEqual(shown, {
        group: "user",
        code: "permission_denied",
        message: "not yours",
        metadata: { owner: "b" },
      });
      assert.equal(lines.filter(({ event }) => event === "actor.request_failed").length, 1);
    },
  );

  it("leaves its paths to the application where there are no actors", limit, async () => {
    const own = async (actors: Parameters<typeof defineNode>[0]) => {
      await using t = await testNode(defineNode(actors));
      const fetch = httpApp({
        node: () => t.node,
        acceptPeer: () => undefined,
        application: (request) => new Response(`own ${new URL(request.url).pathname}`),
        runtime: "memory",
      });
      const answers: (readonly [number, string])[] = [];
      for (const path of ["/metadata", "/actors", "/gateway/x", "/connect", "/actors/metadata"]) {
        const answer = await fetch(new Request(`http://a${path}`), { remoteAddress: "" });
        answers.push([answer.status, await answer.text()]);
      }
      return answers;
    };
    assert.deepEqual(await own({}), [
      [200, "own /metadata"],
      [200, "own /actors"],
      [200, "own /gateway/x"],
      [200, "own /connect"],
      [200, "own /actors/metadata"],
    ]);
    for (const [, text] of await own({ actors: { thing } })) assert.doesNotMatch(text, /own/);
  });
});
