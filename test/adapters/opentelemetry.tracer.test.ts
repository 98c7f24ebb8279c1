import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import * as otel from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { openTelemetry } from "../../adapters/opentelemetry/tracer.ts";
import { runningModule } from "../../adapters/running.ts";
import { EchoService } from "../../examples/echo/echo_pb.ts";
import { defineNode, service } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { tracerConformance } from "../conformance/tracer.ts";
import { adapter } from "../fixtures/runtimes.ts";

const exporter = new InMemorySpanExporter();
otel.trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);

/** Contexts that follow asynchronous work, as a program with the Node SDK has them. */
class StorageContexts implements otel.ContextManager {
  readonly #storage = new AsyncLocalStorage<otel.Context>();

  active(): otel.Context {
    return this.#storage.getStore() ?? otel.ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: otel.Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () => fn.call(thisArg, ...args));
  }

  bind<T>(_: otel.Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}
otel.context.setGlobalContextManager(new StorageContexts());

const quiet = { port: 0, hostname: "127.0.0.1", log: silentLogger() } as const;

const named = (name: string): ReadableSpan | undefined =>
  exporter.getFinishedSpans().find((span) => span.name === name);

tracerConformance("OpenTelemetry", () => {
  exporter.reset();
  const spans = () =>
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      parentSpanId: span.parentSpanContext?.spanId,
      attributes: span.attributes,
      failed: span.status.code === otel.SpanStatusCode.ERROR,
    }));
  return { tracer: openTelemetry(otel), spans };
});

describe("a call between nodes, seen by the SDK of OpenTelemetry", () => {
  it("is one trace from the program's own span to the handler, with its failure", async () => {
    const { serve } = await adapter();
    const tracer = openTelemetry(otel);
    const failing = service(EchoService, {
      handlers: {
        echo: () => {
          throw new ActrError("invalid_argument", "too long");
        },
      },
    });
    await using far = await serve(defineNode({ services: [failing] }), { ...quiet, tracer });
    await using near = await serve(defineNode({}), { ...quiet, identity: far.identity, tracer });
    exporter.reset();
    await otel.trace.getTracer("app").startActiveSpan("work", async (span) => {
      await assert.rejects(near.context.service(EchoService, far.id).echo({ message: "hi" }));
      span.end();
    });
    const work = named("work")?.spanContext();
    const call = named("RuntimeContext.call_raw");
    const received = named("ActrNode.mailbox_receive");
    const handler = named("ActrNode.handle_incoming");
    assert.equal(call?.parentSpanContext?.spanId, work?.spanId);
    assert.equal(received?.parentSpanContext?.spanId, call?.spanContext().spanId);
    assert.equal(handler?.parentSpanContext?.spanId, received?.spanContext().spanId);
    assert.equal(handler?.spanContext().traceId, work?.traceId);
    assert.equal(handler?.attributes["route_key"], "echo.EchoService.Echo");
    assert.deepEqual([call?.kind, received?.kind], [otel.SpanKind.CLIENT, otel.SpanKind.SERVER]);
    assert.equal(handler?.status.code, otel.SpanStatusCode.ERROR);
    assert.equal(call?.status.code, otel.SpanStatusCode.ERROR);
    assert.match(handler?.events[0]?.attributes?.["exception.message"] as string, /too long/);
  });

  it("begins at a peer that only calls, too", async () => {
    const { connect, serve } = await runningModule();
    const tracer = openTelemetry(otel);
    await using node = await serve(defineNode({}), quiet);
    await using peer = await connect(node.url, { log: quiet.log, tracer });
    exporter.reset();
    await assert.rejects(peer.find("acme:Nobody:1.0.0"), { code: "not_found" });
    const search = named("RuntimeContext.discover_route_candidate");
    assert.equal(search?.attributes["target_type"], "acme:Nobody:1.0.0");
  });

  it("holds a handler's own spans, also after it has waited, and what is called within them", async () => {
    const { serve } = await adapter();
    const tracer = openTelemetry(otel);
    const app = otel.trace.getTracer("app");
    const asking = service(EchoService, {
      handlers: {
        async echo({ message }, context) {
          if (message === "inner") return { reply: message };
          await new Promise((resolve) => setTimeout(resolve, 1));
          return await app.startActiveSpan("own", async (own) => {
            const back = context.service(EchoService, context.selfId);
            const [reply] = await Promise.all([
              app.startActiveSpan("aside", async (aside) => aside.end()),
              back.echo({ message: "inner" }).catch(() => ({ reply: "refused" })),
            ]);
            own.end();
            return { reply: String(reply) };
          });
        },
      },
      methods: { echo: { reentrant: true } },
    });
    await using node = await serve(defineNode({ services: [asking] }), { ...quiet, tracer });
    exporter.reset();
    await node.context.service(EchoService, node.id).echo({ message: "outer" });
    const own = named("own");
    const handlers = exporter.getFinishedSpans().filter(({ name }) => name.endsWith("_incoming"));
    const outer = handlers.find(
      (each) => each.spanContext().spanId === own?.parentSpanContext?.spanId,
    );
    assert.ok(outer !== undefined, "the handler's span holds the program's");
    assert.equal(named("aside")?.parentSpanContext?.spanId, own?.spanContext().spanId);
    const calls = exporter.getFinishedSpans().filter(({ name }) => name.endsWith(".call_raw"));
    const within = calls.filter(
      ({ parentSpanContext }) => parentSpanContext?.spanId === own?.spanContext().spanId,
    );
    assert.equal(within.length, 1);
    const traces = exporter.getFinishedSpans().map((span) => span.spanContext().traceId);
    assert.equal(new Set(traces).size, 1);
  });
});
