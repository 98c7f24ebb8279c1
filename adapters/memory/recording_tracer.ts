import type { Random } from "../../src/ports/random.ts";
import type { Span, SpanAttributes, TraceContext, Tracer } from "../../src/ports/tracer.ts";
import { toHex } from "../../src/protocol/bytes.ts";

/** One span that has ended. */
export interface RecordedSpan {
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: SpanAttributes;
  readonly failed: boolean;
}

/** Form of a W3C traceparent, version 00: trace, span, flags. */
const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Keeps spans in memory, for tests. */
export class RecordingTracer implements Tracer {
  /** Spans in the order of their ends. */
  readonly spans: RecordedSpan[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  start(name: string, parent: TraceContext, attributes: SpanAttributes): Span {
    const [, trace, parentSpanId, flags = "01"] = traceparent.exec(parent.traceparent ?? "") ?? [];
    const traceId = trace ?? toHex(this.#random.bytes(16));
    const spanId = toHex(this.#random.bytes(8));
    const context: TraceContext = {
      traceparent: `00-${traceId}-${spanId}-${flags}`,
      tracestate: trace === undefined ? undefined : parent.tracestate,
    };
    let open = true;
    const end = (error?: unknown): void => {
      if (!open) return;
      open = false;
      const failed = error !== undefined;
      this.spans.push({ name, traceId, spanId, parentSpanId, attributes, failed });
    };
    return { context, run: (work) => work(), end };
  }
}
