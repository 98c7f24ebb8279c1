import type { CallOptions, TellOptions } from "../context.ts";
import { ActrError } from "../errors.ts";
import type { OutboundOptions } from "../options.ts";
import type { Random } from "../ports/random.ts";
import { durableMetadata } from "../protocol/durable.ts";
import { directions, encodeEnvelope } from "../protocol/envelope.ts";
import { type Lane, lanes } from "../protocol/frame.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { type MetadataEntry, noMetadata } from "../protocol/metadata.ts";
import { type CallPlumbing, OutboundCall } from "./outbound_call.ts";
import { retryPolicy } from "./retry.ts";
import { sendWithRetry } from "./send_with_retry.ts";

/** Sends requests to peers. */
export class Caller {
  readonly #plumbing: CallPlumbing;
  readonly #random: Random;
  readonly #options: OutboundOptions;

  constructor(plumbing: CallPlumbing, random: Random, options: OutboundOptions) {
    this.#plumbing = plumbing;
    this.#random = random;
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
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    return this.#request(target, routeKey, payload, options, noMetadata);
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
    options: CallOptions,
    metadata: readonly MetadataEntry[],
  ): Promise<Uint8Array> {
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const lane = options.payloadType ?? lanes.rpcReliable;
    const misuse = refuse(lane, timeoutMs);
    if (misuse !== undefined) return Promise.reject(misuse);
    const requestId = options.requestId ?? this.#random.uuid();
    const body = encodeEnvelope({
      routeKey,
      payload,
      direction: directions.request,
      traceparent: options.trace?.traceparent,
      tracestate: options.trace?.tracestate,
      requestId,
      metadata,
      timeoutMs,
    });
    return new Promise((resolve, reject) => {
      const request = {
        target,
        targetKey: formatActrId(target),
        requestId,
        routeKey,
        frame: { lane, body },
        timeoutMs,
        policy: retryPolicy(lane, this.#options),
        signal: options.signal,
      };
      new OutboundCall(this.#plumbing, request, { resolve, reject }).start();
    });
  }

  async #send(
    target: ActrId,
    routeKey: string,
    payload: Uint8Array,
    options: CallOptions & { readonly timeoutMs: number },
  ): Promise<void> {
    const lane = options.payloadType ?? lanes.rpcReliable;
    const misuse = refuse(lane, options.timeoutMs);
    if (misuse !== undefined) throw misuse;
    const body = encodeEnvelope({
      routeKey,
      payload,
      direction: directions.tell,
      traceparent: options.trace?.traceparent,
      tracestate: options.trace?.tracestate,
      requestId: options.requestId ?? this.#random.uuid(),
      metadata: noMetadata,
      timeoutMs: 0,
    });
    await sendWithRetry(
      this.#plumbing,
      target,
      { lane, body },
      retryPolicy(lane, this.#options),
      options,
    );
  }
}

/** What is wrong with a call before anything is sent (`spec/transport.md` §2, `spec/node.md` §12.1). */
function refuse(lane: Lane, timeoutMs: number): ActrError | undefined {
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
