/** W3C Trace Context as it rides an envelope; an absent value stays absent. */
export interface TraceContext {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** Facts about a span. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** One timed operation. */
export interface Span {
  /** The context to send along, so that the next hop's span becomes a child of this one. */
  readonly context: TraceContext;
  /** Does `work`; spans that the program itself begins meanwhile, also after waiting, become children of this one where its tracing can follow. */
  run<T>(work: () => T): T;
  /** Ends the span, as failed when an error is given. Idempotent. */
  end(error?: unknown): void;
}

/** The part of OpenTelemetry that Roost uses. */
export interface Tracer {
  /** Begins a span: a child of `parent` when that has a traceparent, else the first of a new trace. */
  start(name: string, parent: TraceContext, attributes: SpanAttributes): Span;
}
