import type { Span, SpanAttributes, TraceContext, Tracer } from "../../src/ports/tracer.ts";
import { version } from "../../src/version.ts";
import type { OtelApi, OtelSpan, OtelTracer, OtelTraceState } from "./api.ts";

/** Name under which spans are made (`spec/node.md` §19). */
const tracerName = "actr-runtime";

/** Form of a W3C traceparent, version 00: trace, span, flags. */
const traceparent = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Numbers of OpenTelemetry's SpanKind. */
const kinds = { internal: 0, server: 1, client: 2 } as const;

/** OpenTelemetry's SpanStatusCode for a span that failed. */
const failed = 2;

/**
 * Spans by OpenTelemetry, with whatever SDK and exporter the program has set up.
 *
 * @example
 * ```ts
 * import * as otel from "@opentelemetry/api";
 * await serve(app, { tracer: openTelemetry(otel) });
 * ```
 */
export function openTelemetry<Context, State extends OtelTraceState>(
  api: OtelApi<Context, State>,
): Tracer {
  return new OpenTelemetryTracer(api);
}

class OpenTelemetryTracer<Context, State extends OtelTraceState> implements Tracer {
  readonly #api: OtelApi<Context, State>;
  readonly #tracer: OtelTracer<Context>;

  constructor(api: OtelApi<Context, State>) {
    this.#api = api;
    this.#tracer = api.trace.getTracer(tracerName, version);
  }

  start(name: string, parent: TraceContext, attributes: SpanAttributes): Span {
    const kind = kindOf(name);
    const context = this.#contextOf(parent, kind);
    const span = this.#tracer.startSpan(name, { kind, attributes }, context);
    return new OpenTelemetrySpan(span, this.#api);
  }

  /**
   * Where nobody names a parent, the program's own span is one. So it is where a handler has begun a span around what
   * it calls: that belongs to the same trace as the handler's, which it was handed, and is nearer. What comes in from
   * elsewhere has the parent that it names.
   */
  #contextOf({ traceparent: text, tracestate }: TraceContext, kind: number): Context {
    const active = this.#api.context.active();
    if (text === undefined) return active;
    const [, traceId = "", spanId = "", flags] = traceparent.exec(text) ?? [];
    if (flags === undefined) return this.#api.ROOT_CONTEXT;
    const isNearer = this.#api.trace.getSpanContext(active)?.traceId === traceId;
    if (kind === kinds.client && isNearer) return active;
    return this.#api.trace.setSpanContext(this.#api.ROOT_CONTEXT, {
      traceId,
      spanId,
      traceFlags: Number.parseInt(flags, 16),
      isRemote: true,
      ...(tracestate === undefined ? {} : { traceState: this.#api.createTraceState(tracestate) }),
    });
  }
}

/** What puts a span into the context of the program. */
type Contexts<Context> = Pick<OtelApi<Context, OtelTraceState>, "context"> & {
  readonly trace: Pick<OtelApi<Context, OtelTraceState>["trace"], "setSpan">;
};

class OpenTelemetrySpan<Context> implements Span {
  readonly #span: OtelSpan;
  readonly #contexts: Contexts<Context>;
  #open = true;

  constructor(span: OtelSpan, contexts: Contexts<Context>) {
    this.#span = span;
    this.#contexts = contexts;
  }

  /** A new one each time: it is read once per hop. */
  get context(): TraceContext {
    const { traceId, spanId, traceFlags, traceState } = this.#span.spanContext();
    const flags = traceFlags.toString(16).padStart(2, "0");
    return {
      traceparent: `00-${traceId}-${spanId}-${flags}`,
      tracestate: traceState?.serialize() || undefined,
    };
  }

  run<T>(work: () => T): T {
    const { context, trace } = this.#contexts;
    return context.with(trace.setSpan(context.active(), this.#span), work);
  }

  end(error?: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    if (error !== undefined) this.#fail(error);
    this.#span.end();
  }

  #fail(error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#span.recordException(cause);
    this.#span.setStatus({ code: failed, message: cause.message });
  }
}

/** Who takes a request is a server to who calls; its handler is a part of that. */
function kindOf(name: string): number {
  if (name === "ActrNode.mailbox_receive") return kinds.server;
  return name.startsWith("RuntimeContext.") ? kinds.client : kinds.internal;
}
