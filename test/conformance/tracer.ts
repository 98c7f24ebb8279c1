import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Tracer } from "../../src/ports/tracer.ts";

/** One span as the adapter under test recorded it when it ended. */
export interface RecordedSpan {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

/** A tracer of the adapter under test, and the spans that have ended. */
export interface TracerFixture {
  readonly tracer: Tracer;
  readonly spans: () => readonly RecordedSpan[];
}

/** Form of a W3C traceparent, version 00. */
const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]$/;

/** What every {@link Tracer} does. */
export function tracerConformance(name: string, open: () => TracerFixture): void {
  describe(`Tracer: ${name}`, () => {
    it("begins a trace where there is none", () => {
      const { tracer, spans } = open();
      const span = tracer.start("call", {}, { route: "a.B.C" });
      const [, traceId, spanId] = traceparent.exec(span.context.traceparent ?? "") ?? [];
      span.end();
      const [recorded] = spans();
      assert.deepEqual(
        [recorded?.name, recorded?.traceId, recorded?.spanId, recorded?.parentSpanId],
        ["call", traceId, spanId, undefined],
      );
      assert.equal(recorded?.attributes["route"], "a.B.C");
      assert.equal(recorded?.failed, false);
    });

    it("goes on with the trace of its parent and keeps its state", () => {
      const { tracer, spans } = open();
      const parent = {
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tracestate: "vendor=1",
      };
      const span = tracer.start("handle", parent, {});
      assert.match(
        span.context.traceparent ?? "",
        /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
      );
      assert.equal(span.context.tracestate, "vendor=1");
      span.end();
      assert.equal(spans()[0]?.parentSpanId, "b7ad6b7169203331");
    });

    it("takes a malformed parent for none", () => {
      const { tracer } = open();
      const span = tracer.start("handle", { traceparent: "nonsense" }, {});
      assert.match(span.context.traceparent ?? "", traceparent);
      span.end();
    });

    it("does work within a span: what that returns or throws comes out, and the span goes on", async () => {
      const { tracer, spans } = open();
      const span = tracer.start("handle", {}, {});
      assert.equal(
        span.run(() => 7),
        7,
      );
      assert.equal(await span.run(async () => "later"), "later");
      const work = (): void => {
        throw new Error("bug");
      };
      assert.throws(() => span.run(work), /bug/);
      assert.deepEqual(spans(), []);
      span.end();
      assert.equal(spans()[0]?.failed, false);
    });

    it("marks a failed span and ends once", () => {
      const { tracer, spans } = open();
      const span = tracer.start("call", {}, {});
      span.end(new Error("down"));
      span.end();
      assert.deepEqual(
        spans().map(({ failed }) => failed),
        [true],
      );
    });
  });
}
