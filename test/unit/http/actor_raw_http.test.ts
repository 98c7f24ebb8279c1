import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type TestNode, testNode } from "../../../adapters/memory/test_node.ts";
import { actor } from "../../../src/actor.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";

const limit = { timeout: 60_000 };

/** Bodies that a test writes into. */
const streams: ReadableStreamDefaultController<Uint8Array>[] = [];

const site = actor({
  state: () => ({ visits: 0 }),
  options: { maxRequestBytes: 1000 },
  actions: { visits: (c) => c.state.visits },
  async onRequest(c, request) {
    c.state.visits += 1;
    const { pathname, search } = new URL(request.url);
    switch (pathname) {
      case "/stream":
        return new Response(new ReadableStream({ start: (each) => void streams.push(each) }));
      case "/throw":
        throw new ActrError("user.boom", "boom");
      case "/nothing":
        return undefined as unknown as Response;
      case "/hang":
        return await new Promise((_, reject) => {
          c.signal.addEventListener("abort", () => reject(c.signal.reason));
        });
      default:
        return Response.json(
          {
            path: pathname + search,
            method: request.method,
            own: request.headers.get("x-own"),
            token: request.headers.get("x-rivet-token"),
            params: c.conn?.params,
            body: await request.text(),
          },
          { status: 201, headers: { "x-site": String(c.state.visits) } },
        );
    }
  },
});
const plain = actor({ actions: {} });
const app = defineNode({ actors: { site, plain } });

const query = "rvt-namespace=default&rvt-method=getOrCreate&rvt-key=a";

function ask(t: TestNode, path: string, init?: RequestInit, name = "site"): Promise<Response> {
  return t.fetch(`/gateway/${name}/request${path}${path.includes("?") ? "&" : "?"}${query}`, init);
}

describe("raw requests to actors", () => {
  it(
    "bring method, path, query, headers, body and params, and answer with status, headers and body",
    limit,
    async () => {
      await using t = await testNode(app, { actorToken: "s3cret" });
      const headers = {
        "x-own": "1",
        "x-rivet-token": "s3cret",
        "x-rivet-conn-params": JSON.stringify({ user: "u" }),
      };
      const answer = await ask(t, "/a//b%20c?x=1&y=%2F", { method: "PUT", body: "hello", headers });
      assert.equal(answer.status, 201);
      assert.equal(answer.headers.get("x-site"), "1");
      assert.equal(answer.headers.get("x-rivet-actor-key"), "a");
      assert.deepEqual(await answer.json(), {
        path: "/a//b%20c?x=1&y=%2F",
        method: "PUT",
        own: "1",
        token: null,
        params: { user: "u" },
        body: "hello",
      });
      const root = await ask(t, "", { headers });
      assert.equal((await root.json()).path, "/");
      assert.equal((await ask(t, "/x")).status, 403);
    },
  );

  it("are addressed by headers too", limit, async () => {
    await using t = await testNode(app);
    const id = await t.actors.site.get("a").resolve();
    const headers = { "x-rivet-target": "actor", "x-rivet-actor": id };
    for (const base of ["", "/actors"]) {
      const answer = await t.fetch(`${base}/request/p?q=1`, { headers });
      assert.equal((await answer.json()).path, "/p?q=1");
    }
    assert.equal((await t.fetch("/request/p")).status, 404);
  });

  it(
    "[H-92] without onRequest are 404 without a body; an answer that is none is 500",
    limit,
    async () => {
      await using t = await testNode(app);
      const none = await ask(t, "/", {}, "plain");
      assert.equal(none.status, 404);
      assert.equal(await none.text(), "");
      assert.equal((await ask(t, "/nothing")).status, 500);
    },
  );

  it("answer errors as actions do, and are refused when they are too long", limit, async () => {
    await using t = await testNode(app);
    const failed = await ask(t, "/throw");
    assert.equal(failed.status, 400);
    assert.equal(failed.headers.get("x-rivet-error"), "user.boom");
    assert.equal((await failed.json()).code, "boom");
    const long = await ask(t, "/", { method: "POST", body: "x".repeat(1001) });
    assert.equal(long.status, 413);
    const endless = { method: "POST", body: new ReadableStream(), duplex: "half" };
    const slow = ask(t, "/", endless as RequestInit);
    await t.clock.advance(60_000);
    assert.equal((await slow).status, 408);
    const hanging = ask(t, "/hang");
    await t.clock.advance(60_000);
    assert.equal((await hanging).status, 408);
  });

  it("save what they change before they answer", limit, async () => {
    await using t = await testNode(app);
    assert.equal((await ask(t, "/x")).status, 201);
    await t.restart({ crash: true });
    assert.equal(await t.actors.site.get("a").visits(), 1);
  });

  it("[H-41] keep the actor awake while a body is read, and no longer", limit, async () => {
    await using t = await testNode(app);
    const awake = async (): Promise<number> => {
      await t.clock.advance(60_000);
      return t.node.actors.awake;
    };
    const answer = await ask(t, "/stream");
    assert.equal(await awake(), 1);
    streams.at(-1)?.enqueue(new TextEncoder().encode("text"));
    streams.at(-1)?.close();
    assert.equal(await answer.text(), "text");
    assert.equal(await awake(), 0);
    const second = await ask(t, "/stream");
    assert.equal(await awake(), 1);
    await second.body?.cancel();
    assert.equal(await awake(), 0);
    await ask(t, "/stream", { method: "HEAD" });
    assert.equal(await awake(), 0);
  });
});
