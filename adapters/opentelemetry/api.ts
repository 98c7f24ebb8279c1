/** The vendors' part of a trace. */
export interface OtelTraceState {
  serialize(): string;
}

/** What identifies a span beyond its process. */
export interface OtelSpanContext<State extends OtelTraceState = OtelTraceState> {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean;
  readonly traceState?: State;
}

/** A span of OpenTelemetry, as far as it is used. */
export interface OtelSpan {
  spanContext(): OtelSpanContext;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  recordException(error: Error): void;
  end(): void;
}

/** What a span begins with. */
export interface OtelSpanOptions {
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** A tracer of OpenTelemetry, as far as it is used. */
export interface OtelTracer<Context> {
  startSpan(name: string, options: OtelSpanOptions, context: Context): OtelSpan;
}

/**
 * The part of the package `@opentelemetry/api` that is used; pass the module itself. Spelt out, so that who does not
 * use OpenTelemetry need not have it.
 */
export interface OtelApi<Context, State extends OtelTraceState> {
  readonly trace: {
    getTracer(name: string, version?: string): OtelTracer<Context>;
    setSpan(context: Context, span: OtelSpan): Context;
    setSpanContext(context: Context, spanContext: OtelSpanContext<State>): Context;
    getSpanContext(context: Context): OtelSpanContext | undefined;
  };
  readonly context: {
    active(): Context;
    with<T>(context: Context, work: () => T): T;
  };
  readonly ROOT_CONTEXT: Context;
  createTraceState(raw: string): State;
}
