import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ActrError,
  defineNode,
  type ErrorEvent,
  type NodeInit,
  type RequestContext,
  service,
} from "@roost/edge";
import { type TestNode, testNode } from "@roost/edge/testing";
import { app as tailExample } from "../../../examples/tail/app.ts";
import { type Line, type Position, TailService } from "../../../examples/tail/tail_pb.ts";

type Follow = (request: Position, context: RequestContext) => AsyncIterable<{ text: string }>;

/** A node that serves `follow` with what is given. */
function following(follow: Follow, init: NodeInit = {}) {
  const tail = service(TailService, { handlers: { append: () => ({}), follow } });
  return defineNode({ type: "acme:TailService:1.0.0", services: [tail], ...init });
}

/** Numbers from the requested one on, for ever; what it has given is written down. */
function counting(given: number[] = [], ended: unknown[] = []): Follow {
  return async function* ({ line }, { signal }) {
    try {
      for (let at = line; ; at += 1) {
        given.push(at);
        yield { text: `#${at}` };
      }
    } finally {
      ended.push(signal.reason);
    }
  };
}

async function first(lines: AsyncIterable<Line>, count: number): Promise<string[]> {
  const all: string[] = [];
  for await (const { text } of lines) {
    all.push(text);
    if (all.length === count) break;
  }
  return all;
}

/** Nothing of any stream is left on either node, and nothing came that nobody took. */
async function nothingLeft(...nodes: TestNode[]): Promise<void> {
  for (const { clock, node } of nodes) {
    await clock.settle();
    assert.equal(node.inbound.streams.tally.dropped, 0);
    assert.equal(node.inbound.streams.size, 0);
    assert.equal(node.outbound.pending.size, 0);
  }
}

for (const transport of ["memory", "websocket"] as const) {
  describe(`a method that answers with a stream, over ${transport}`, () => {
    it("gives every message in order, and ends as the handler returns", async () => {
      const app = following(async function* ({ line }) {
        for (let at = 0; at < line; at += 1) yield { text: String(at) };
      });
      await using t = await testNode(app, { transport });
      await using peer = await t.peer();
      const tail = peer.context.service(TailService, t.id);
      const all: string[] = [];
      for await (const { text } of tail.follow({ line: 1_000 }, { windowBytes: 20_000 }))
        all.push(text);
      assert.deepEqual(
        all,
        Array.from({ length: 1_000 }, (_, n) => String(n)),
      );
      await nothingLeft(t, peer);
    });

    it("goes no further ahead than the window, and on as the caller reads", async () => {
      const given: number[] = [];
      await using t = await testNode(following(counting(given)), { transport });
      await using peer = await t.peer();
      const lines = peer.context
        .service(TailService, t.id)
        .follow({ line: 0 }, { windowBytes: 700 });
      assert.equal((await lines.next()).value?.text, "#0");
      await t.clock.settle();
      // An item of 4 bytes weighs 68: ten do not fill the window, eleven do.
      assert.equal(given.length, 11);
      for (let at = 1; at < 8; at += 1) await lines.next();
      await t.clock.settle();
      assert.equal(given.length, 11 + 6);
      await lines.return?.();
      await nothingLeft(t, peer);
    });

    it("ends the handler when the caller leaves its loop", async () => {
      const ended: unknown[] = [];
      await using t = await testNode(following(counting([], ended)), { transport });
      await using peer = await t.peer();
      const tail = peer.context.service(TailService, t.id);
      assert.deepEqual(await first(tail.follow({ line: 7 }), 3), ["#7", "#8", "#9"]);
      await nothingLeft(t, peer);
      assert.equal((ended[0] as ActrError).message, "the caller has left its stream");
    });

    it("ends a handler that waits when the caller's signal aborts", async () => {
      const ended: unknown[] = [];
      const silent: Follow = async function* (_request, { signal }) {
        yield { text: "one" };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        ended.push(signal.reason);
      };
      await using t = await testNode(following(silent), { transport });
      await using peer = await t.peer();
      const abort = new AbortController();
      const lines = peer.context.service(TailService, t.id).follow({}, { signal: abort.signal });
      assert.equal((await lines.next()).value?.text, "one");
      const second = lines.next();
      abort.abort(new RangeError("enough"));
      await assert.rejects(second, /enough/);
      await nothingLeft(t, peer);
      assert.equal(ended.length, 1);
    });

    it("throws what the handler throws, after what it gave; a crash without its text", async () => {
      const failing: Follow = async function* ({ line }) {
        yield { text: "before" };
        if (line === 1) throw new ActrError("not_found", "no such journal");
        throw new TypeError("secret");
      };
      const told: string[] = [];
      const onError = (_context: unknown, { error }: ErrorEvent) => void told.push(error.code);
      await using t = await testNode(following(failing, { hooks: { onError } }), { transport });
      await using peer = await t.peer();
      const tail = peer.context.service(TailService, t.id);
      const lines = tail.follow({ line: 1 });
      assert.equal((await lines.next()).value?.text, "before");
      await assert.rejects(lines.next(), { code: "not_found", message: "no such journal" });
      await assert.rejects(first(tail.follow({ line: 2 }), 2), (error: ActrError) => {
        assert.equal(error.code, "internal");
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
      await t.clock.settle();
      assert.deepEqual(told, ["not_found", "internal"]);
      await nothingLeft(t, peer);
    });

    it("ends on both sides when the connection is lost, also before the first message", async () => {
      const ended: unknown[] = [];
      const silent: Follow = async function* (_request, { signal }) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        ended.push(signal.reason);
      };
      await using t = await testNode(following(silent), { transport });
      await using peer = await t.peer();
      const waiting = peer.context.service(TailService, t.id).follow({}).next();
      const failed = assert.rejects(waiting, { code: "unavailable" });
      await t.clock.settle();
      await t.node.outbound.sessions.closeAll("test");
      await failed;
      await nothingLeft(t, peer);
      assert.equal(ended.length, 1);
    });
  });
}

describe("examples/tail", () => {
  it("gives the lines that there are, and those to come", async () => {
    await using t = await testNode(tailExample);
    const tail = t.service(TailService);
    await tail.append({ text: "one" });
    await tail.append({ text: "two" });
    const lines = tail.follow({ line: 1 });
    assert.equal((await lines.next()).value?.text, "two");
    const third = lines.next();
    await tail.append({ text: "three" });
    assert.equal((await third).value?.text, "three");
    await lines.return?.();
    await nothingLeft(t);
  });
});

describe("a method that answers with a stream", () => {
  it("is asked by the node itself, and refused by the host", async () => {
    await using t = await testNode(following(counting(), { acl: [] }));
    const tail = t.context.service(TailService, "workload");
    assert.deepEqual(await first(tail.follow({ line: 1 }), 2), ["#1", "#2"]);
    await nothingLeft(t);
    const host = t.context.service(TailService, "host");
    await assert.rejects(first(host.follow({}), 1), { code: "not_implemented" });
  });

  it("answers with an error when the handler throws at once, or gives no stream", async () => {
    const refusing: Follow = () => {
      throw new ActrError("permission_denied", "not you");
    };
    await using strict = await testNode(following(refusing));
    const refused = strict.service(TailService).follow({}).next();
    await assert.rejects(refused, { code: "permission_denied", message: "not you" });
    await using wrong = await testNode(following((() => ({})) as unknown as Follow));
    await assert.rejects(wrong.service(TailService).follow({}).next(), { code: "internal" });
    await nothingLeft(strict, wrong);
  });

  it("refuses a request that names no stream", async () => {
    await using t = await testNode(following(counting()));
    const call = t.context.call("workload", "tail.TailService.Follow", new Uint8Array());
    await assert.rejects(call, { code: "invalid_argument", message: /roost-stream/ });
    await nothingLeft(t);
  });

  it("refuses a window that cannot be, before anything is sent", async () => {
    await using t = await testNode(following(counting()));
    const tail = t.context.service(TailService, "workload");
    for (const windowBytes of [0, -1, 1.5, Number.POSITIVE_INFINITY]) {
      await assert.rejects(first(tail.follow({}, { windowBytes }), 1), RangeError);
    }
  });

  it("ends with the node that answers", async () => {
    await using t = await testNode(following(counting()));
    await using peer = await t.peer();
    const lines = peer.context.service(TailService, t.id).follow({}, { windowBytes: 100 });
    await lines.next();
    await lines.next();
    const rest = assert.rejects(
      async () => {
        for await (const _ of lines);
      },
      { code: "unavailable" },
    );
    await t.stop();
    await rest;
  });

  it("holds up nothing else while it goes on", async () => {
    await using t = await testNode(following(counting()));
    await using peer = await t.peer();
    const tail = peer.context.service(TailService, t.id);
    const lines = tail.follow({}, { windowBytes: 100 });
    await lines.next();
    await tail.append({ text: "beside" });
    await lines.return?.();
    await nothingLeft(t, peer);
  });
});
