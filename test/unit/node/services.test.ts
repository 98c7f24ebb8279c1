import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, defineNode, forward, type NodeInit, service } from "@roost/edge";
import { type TestNode, testNode } from "@roost/edge/testing";
import { RecordingTracer } from "../../../adapters/memory/recording_tracer.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { TailService } from "../../../examples/tail/tail_pb.ts";
import { echoNode, gate } from "./support.ts";

const echoType = "acme:EchoService:1.0.0";
const route = "echo.EchoService.Echo";

const tail = (init: NodeInit = {}) =>
  defineNode({
    type: "acme:TailService:2.1.0",
    services: [
      service(TailService, {
        handlers: {
          append: ({ text }) => ({ line: text.length }),
          async *follow({ line }) {
            for (let at = 0; at < line; at += 1) yield { text: `#${at}` };
          },
        },
      }),
    ],
    ...init,
  });

/** A node that serves nothing of its own. */
const gateway = defineNode({
  type: "acme:Gateway:1.0.0",
  services: [forward(EchoService, echoType), forward(TailService, "acme:TailService:2.1.0")],
});

/** Lets only `name` in. */
const only = (name: string) => [{ permission: "allow", type: `acme:${name}:1.0.0` }] as const;

/** What `node` gets for each method: "ok", or the code of the error. */
async function outcomes(node: TestNode, target: TestNode): Promise<string[]> {
  const echo = node.context.service(EchoService, target.id);
  const lines = node.context.service(TailService, target.id);
  const asked = [echo.echo({}), lines.append({}), lines.follow({}).next()];
  const settled = await Promise.allSettled(asked);
  return settled.map((each) => (each.status === "fulfilled" ? "ok" : each.reason.code));
}

describe("access rules of services and methods", () => {
  it("the nearest list counts: the method's, the service's, the node's", async () => {
    const echo = service(EchoService, { handlers: { echo: () => ({}) }, acl: only("A") });
    const lines = service(TailService, {
      handlers: { append: () => ({}), async *follow() {} },
      methods: { append: { acl: only("B") }, follow: { acl: [] } },
    });
    await using t = await testNode(defineNode({ services: [echo, lines], acl: only("C") }));
    await using a = await t.peer(defineNode({ type: "acme:A:1.0.0" }));
    await using b = await t.peer(defineNode({ type: "acme:B:1.0.0" }));
    await using c = await t.peer(defineNode({ type: "acme:C:1.0.0" }));
    const denied = "permission_denied";
    assert.deepEqual(await outcomes(a, t), ["ok", denied, denied]);
    assert.deepEqual(await outcomes(b, t), [denied, "ok", denied]);
    assert.deepEqual(await outcomes(c, t), [denied, denied, denied]);
    assert.deepEqual(await outcomes(t, t), ["ok", "ok", "ok"], "the node itself");
    for (const node of [a, b, c]) {
      const unknown = node.context.call(t.id, "no.Such.Route", new Uint8Array());
      await assert.rejects(unknown, { code: node === c ? "unknown_route" : denied });
    }
  });

  it("whom the node denies no service lets in", async () => {
    const echo = service(EchoService, { handlers: { echo: () => ({}) }, acl: only("A") });
    const denial = { permission: "deny", type: "acme:A:1.0.0" } as const;
    await using t = await testNode(defineNode({ services: [echo], acl: [denial] }));
    await using a = await t.peer(defineNode({ type: "acme:A:1.0.0" }));
    const call = a.context.service(EchoService, t.id).echo({});
    await assert.rejects(call, { code: "permission_denied" });
  });

  it("whom a method lets in finds the node", async () => {
    const handlers = { echo: () => ({ reply: "hi" }) };
    const echo = service(EchoService, { handlers, methods: { echo: { acl: only("A") } } });
    const app = defineNode({ type: "acme:Shop:1.0.0", services: [echo], acl: [] });
    await using t = await testNode(app);
    await using a = await t.peer(defineNode({ type: "acme:A:1.0.0" }));
    await using b = await t.peer(defineNode({ type: "acme:B:1.0.0" }));
    assert.deepEqual(await a.context.discover("acme:Shop:1.0.0"), [t.id]);
    await assert.rejects(b.context.discover("acme:Shop:1.0.0"), { code: "not_found" });
  });

  it("a malformed rule ends the start", async () => {
    const acl = [{ permission: "allow", type: "acme" }] as const;
    const echo = service(EchoService, {
      handlers: { echo: () => ({}) },
      methods: { echo: { acl } },
    });
    await assert.rejects(testNode(defineNode({ services: [echo] })), { code: "config" });
  });
});

describe("a forwarded service", () => {
  it("[ND-52] is answered by a node of the type that was given, version included", async () => {
    await using t = await testNode(gateway);
    await using _old = await t.peer(tail({ type: "acme:TailService:1.0.0" }));
    await using right = await t.peer(tail());
    await using client = await t.peer();
    const lines = client.context.service(TailService, t.id);
    assert.equal((await lines.append({ text: "four" })).line, 4);
    assert.equal(right.node.inbound.handled, 1);
  });

  it("passes bytes on as they are, both ways", async () => {
    await using t = await testNode(gateway);
    await using far = await t.peer(echoNode());
    await using client = await t.peer();
    // Field 99 is none of the message's; what decodes and encodes drops or keeps it, and here nobody does.
    const odd = Uint8Array.of(0x9a, 0x06, 0x01, 0x21);
    const direct = await client.context.call(far.id, route, odd);
    assert.deepEqual(await client.context.call(t.id, route, odd), direct);
    const malformed = client.context.call(t.id, route, Uint8Array.of(0x0a, 0x05));
    await assert.rejects(malformed, { code: "decode_failure" });
  });

  it("throws what the far handler throws, details included", async () => {
    const failing = echoNode(() => {
      throw new ActrError("invalid_argument", "by must be >= 0", { details: { by: -1 } });
    });
    await using t = await testNode(gateway);
    await using _far = await t.peer(failing);
    await assert.rejects(t.service(EchoService).echo({}), {
      code: "invalid_argument",
      message: "by must be >= 0",
      details: { by: -1 },
    });
  });

  it("forwards streams", async () => {
    await using t = await testNode(gateway);
    await using far = await t.peer(tail());
    const all: string[] = [];
    for await (const { text } of t.service(TailService).follow({ line: 3 })) all.push(text);
    assert.deepEqual(all, ["#0", "#1", "#2"]);
    await t.clock.settle();
    for (const { node } of [t, far]) assert.equal(node.inbound.streams.size, 0);
  });

  it("forwards tells", async () => {
    const heard: string[] = [];
    const told = gate();
    const listening = echoNode((text) => {
      heard.push(text);
      told.open();
      return "";
    });
    await using t = await testNode(gateway);
    await using _far = await t.peer(listening);
    await t.service(EchoService).echo.tell({ message: "told" });
    await told.promise;
    assert.deepEqual(heard, ["told"]);
  });

  it("finds another node when the one it knew is gone, at once", async () => {
    await using t = await testNode(gateway, { transport: "websocket" });
    const first = await t.peer(echoNode(() => "first"));
    await using client = await t.peer();
    const echo = client.context.service(EchoService, t.id);
    assert.equal((await echo.echo({})).reply, "first");
    await first.stop();
    await using _second = await t.peer(echoNode(() => "second"));
    const answer = client.clock.through(echo.echo({}));
    assert.equal((await answer).reply, "second");
    assert.equal(t.node.inbound.handled, 2, "the caller did not have to ask again");
  });

  it("takes trace and deadline along", async () => {
    const tracer = new RecordingTracer(new SeededRandom());
    const never = gate();
    await using t = await testNode(gateway);
    await using _far = await t.peer(
      echoNode(async () => {
        await never.promise;
        return "";
      }),
      { components: { tracer } },
    );
    await using client = await t.peer();
    const traceparent = "00-11111111111111111111111111111111-2222222222222222-01";
    const options = { timeoutMs: 700, trace: { traceparent } };
    const call = client.context.service(EchoService, t.id).echo({}, options);
    const refused = assert.rejects(call, { code: "timed_out" });
    await client.clock.settle();
    await client.clock.advance(720);
    await refused;
    assert.equal(t.node.outbound.pending.size, 0, "nothing is waited for any longer");
    never.open();
    await t.clock.settle();
    const [span] = tracer.spans;
    assert.equal(span?.name, "ActrNode.handle_incoming");
    assert.equal(span?.traceId, "1".repeat(32));
  });

  it("many calls at once wait for none of each other", async () => {
    const held = gate();
    await using t = await testNode(gateway);
    const slow = service(EchoService, {
      handlers: {
        async echo({ message }) {
          if (message === "slow") await held.promise;
          return { reply: message };
        },
      },
      methods: { echo: { conflictKey: { field: "message" } } },
    });
    await using _far = await t.peer(defineNode({ type: echoType, services: [slow] }));
    const echo = t.service(EchoService);
    const first = echo.echo({ message: "slow" });
    assert.equal((await echo.echo({ message: "fast" })).reply, "fast");
    held.open();
    assert.equal((await first).reply, "slow");
  });

  it("two callers under one request id each get their own answer", async () => {
    await using t = await testNode(gateway);
    await using _far = await t.peer(echoNode());
    await using a = await t.peer();
    await using b = await t.peer();
    const [one, two] = await Promise.all(
      [a, b].map(({ context }, n) =>
        context.service(EchoService, t.id).echo({ message: `${n}` }, { requestId: "same" }),
      ),
    );
    assert.deepEqual([one?.reply, two?.reply], ["Echo: 0", "Echo: 1"]);
  });

  it("says so when nobody of its type is there", async () => {
    await using t = await testNode(gateway);
    await assert.rejects(t.service(EchoService).echo({}), { code: "not_found" });
    assert.throws(() => forward(EchoService, "acme"), { code: "invalid_argument" });
  });
});

describe("details of errors", () => {
  const failing = (error: ActrError) =>
    echoNode(() => {
      throw error;
    });

  it("reach the caller where it is at fault", async () => {
    const details = { field: "by", allowed: [1, 2], nested: { deep: true } };
    const error = new ActrError("not_found", "no such thing", { details });
    await using t = await testNode(failing(error));
    await assert.rejects(t.service(EchoService).echo({}), {
      code: "not_found",
      message: "no such thing",
      details,
    });
  });

  it("stay here where they are not public, of another kind, too long or no JSON", async () => {
    const details = { secret: 1 };
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    for (const error of [
      new ActrError("invalid_argument", "x", { details, public: false }),
      new ActrError("internal", "x", { details }),
      new ActrError("invalid_argument", "x", { details: { long: "x".repeat(9_000) } }),
      new ActrError("invalid_argument", "x", { details: circular }),
    ]) {
      await using t = await testNode(failing(error));
      await assert.rejects(t.service(EchoService).echo({}), (thrown: ActrError) => {
        assert.equal(thrown.code, error.code);
        assert.equal(thrown.details, undefined);
        return true;
      });
    }
  });
});

describe("a node with rules", () => {
  it("streams to itself", async () => {
    await using t = await testNode(defineNode({ acl: [] }));
    const heard: string[] = [];
    t.context.streams.register("s", ({ payload }) => {
      heard.push(new TextDecoder().decode(payload));
    });
    await t.context.streams.send(t.id, "s", { payload: new TextEncoder().encode("hi") });
    await t.clock.settle();
    assert.deepEqual(heard, ["hi"]);
  });
});
