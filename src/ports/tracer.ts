/** W3C Trace Context as it rides an envelope; an absent value stays absent. */
export interface TraceContext {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** One timed operation. */
export interface Span {
  /** The context to send along, so that the next hop's span becomes a child of this one. */
  readonly context: TraceContext;
  set(attribute: string, value: string | number | boolean): void;
  /** Ends the span, as failed when an error is given. */
  end(error?: unknown): void;
}

/** The part of OpenTelemetry that Roost uses. */
export interface Tracer {
  start(
    name: string,
    parent: TraceContext,
    attributes?: Readonly<Record<string, string | number | boolean>>,
  ): Span;
}
