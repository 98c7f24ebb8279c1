import type { CallOptions, TellOptions } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { OutboundOptions } from "../options.ts";
import type { Random } from "../ports/random.ts";
import type { SpanAttributes, Tracer } from "../ports/tracer.ts";
import { chainMetadata } from "../protocol/call_chain.ts";
import { durableMetadata } from "../protocol/durable.ts";
import { directions, envelopeFrame } from "../protocol/envelope.ts";
import { type Lane, lanes } from "../protocol/frame.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { type MetadataEntry, noMetadata } from "../protocol/metadata.ts";
import { spanned } from "../spans.ts";
import { type CallPlumbing, OutboundCall } from "./outbound_call.ts";
import { type RetryPolicy, retryPolicy } from "./retry.ts";
import { sendWithRetry } from "./send_with_retry.ts";

/** How a call that a handler makes is sent. */
export interface NestedCallOptions extends CallOptions {
  /** Names of the handlers that wait for it, the outermost first. */
  readonly chain?: readonly string[];
}

/** How a call is sent that is part of something larger. */
export interface InternalCallOptions extends NestedCallOptions {
  /** What the request says beside its payload. */
  readonly metadata?: readonly MetadataEntry[];
  /** Sends it once: a failure is not made good by another try. */
  readonly once?: boolean;
}

const onePolicy: RetryPolicy = { attempts: 1, pausesMs: [] };

/** Collaborators of {@link Caller}. */
export interface CallerComponents {
  readonly plumbing: CallPlumbing;
  readonly random: Random;
  readonly tracer: Tracer | undefined;
}

/** What a span tells of a message. */
interface Sending {
  readonly target: ActrId;
  readonly routeKey: string;
  readonly requestId: string;
  readonly lane: Lane;
}

/** Sends requests to peers. */
export class Caller {
  readonly #components: CallerComponents;
  readonly #options: OutboundOptions;

  constructor(components: CallerComponents, options: OutboundOptions) {
    this.#components = components;
    this.#options = options;
  }

  /**
   * Sends a request and resolves with the payload of its answer. Transient failures are retried
   * under the same request id until the deadline.
   * @throws ActrError what the peer answered; `timed_out`, `unavailable`, `overloaded`; `invalid_argument` before anything is sent; the signal's reason.
   */
  call(
    target: ActrId,
    routeKey: string,
    payload: Uint8Array,
    options: InternalCallOptions = {},
  ): Promise<Uint8Array> {
    const { chain, metadata = noMetadata } = options;
    const all = chain === undefined ? metadata : [...chainMetadata(chain), ...metadata];
    return this.#request(target, routeKey, payload, options, all);
  }

  /**
   * Sends a message without an answer; resolves when the transport took it, or, when `durable`,
   * when the peer has it on disk.
   * @throws as {@link Caller.call}.
   */
  async tell(
    target: ActrId,
    routeKey: string,
    payload: Uint8Array,
    options: TellOptions = {},
  ): Promise<void> {
    const timeoutMs = options.timeoutMs ?? this.#options.tellTimeoutMs;
    if (options.durable === true) {
      await this.#request(target, routeKey, payload, { ...options, timeoutMs }, durableMetadata);
      return;
    }
    await this.#send(target, routeKey, payload, { ...options, timeoutMs });
  }

  #request(
    target: ActrId,
    routeKey: string,
    payload: Uint8Array,
    options: InternalCallOptions,
    metadata: readonly MetadataEntry[],
  ): Promise<Uint8Array> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const lane = options.payloadType ?? lanes.rpcReliable;
    const misuse = refuseCall(lane, timeoutMs);
    if (misuse !== undefined) return Promise.reject(misuse);
    const { plumbing, random, tracer } = this.#components;
    const requestId = options.requestId ?? random.uuid();
    const span = tracer?.start(
      metadata === durableMetadata ? "RuntimeContext.tell_raw" : "RuntimeContext.call_raw",
      options.trace ?? {},
      spanAttributes({ target, routeKey, requestId, lane }),
    );
    const trace = span?.context ?? options.trace;
    const frame = envelopeFrame(lane, {
      routeKey,
      payload,
      direction: directions.request,
      traceparent: trace?.traceparent,
      tracestate: trace?.tracestate,
      requestId,
      metadata,
      timeoutMs,
    });
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      const request = {
        target,
        targetKey: formatActrId(target),
        requestId,
        routeKey,
        frame,
        timeoutMs,
        policy: options.once === true ? onePolicy : retryPolicy(lane, this.#options),
        nested: options.chain !== undefined,
        signal: options.signal,
      };
      new OutboundCall(plumbing, request, { resolve, reject }).start();
    });
    return spanned(span, answer);
  }

  async #send(
    target: ActrId,
    routeKey: string,
    payload: Uint8Array,
    options: CallOptions & { readonly timeoutMs: number },
  ): Promise<void> {
    const lane = options.payloadType ?? lanes.rpcReliable;
    const misuse = refuseCall(lane, options.timeoutMs);
    if (misuse !== undefined) throw misuse;
    const { plumbing, random, tracer } = this.#components;
    const requestId = options.requestId ?? random.uuid();
    const span = tracer?.start(
      "RuntimeContext.tell_raw",
      options.trace ?? {},
      spanAttributes({ target, routeKey, requestId, lane }),
    );
    const trace = span?.context ?? options.trace;
    const frame = envelopeFrame(lane, {
      routeKey,
      payload,
      direction: directions.tell,
      traceparent: trace?.traceparent,
      tracestate: trace?.tracestate,
      requestId,
      metadata: noMetadata,
      timeoutMs: 0,
    });
    const policy = retryPolicy(lane, this.#options);
    await spanned(span, sendWithRetry(plumbing, target, frame, policy, options));
  }
}

function spanAttributes({ target, routeKey, requestId, lane }: Sending): SpanAttributes {
  return {
    route_key: routeKey,
    request_id: requestId,
    payload_type: lane,
    target: formatActrId(target),
  };
}

/** What is wrong with a call before anything is sent (`spec/transport.md` §2, `spec/node.md` §12.1). */
export function refuseCall(lane: Lane, timeoutMs: number): ActrError | undefined {
  if (lane !== lanes.rpcReliable && lane !== lanes.rpcSignal) {
    return new ActrError(
      "invalid_argument",
      `payload type ${lane} cannot carry a call; use 0 (RPC_RELIABLE) or 1 (RPC_SIGNAL)`,
    );
  }
  if (!(timeoutMs > 0) || !Number.isFinite(timeoutMs)) {
    return new ActrError("invalid_argument", `timeoutMs is ${timeoutMs}; it must be above 0`);
  }
  return undefined;
}
