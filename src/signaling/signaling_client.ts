import { ActrError } from "../errors.ts";
import type { Span, TraceContext, Tracer } from "../ports/tracer.ts";
import { fromActrIdMessage, toActrIdMessage } from "../protocol/id_messages.ts";
import {
  type ActrId,
  type ActrType,
  actrTypeEquals,
  formatActrType,
  isSamePeer,
} from "../protocol/ids.ts";
import {
  type ActrRelay,
  RouteCandidatesRequest_NodeSelectionCriteria_NodeRankingFactor as RankingFactor,
  type SignalingEnvelope,
} from "../protocol/schema.ts";
import { decodeSignaling } from "../protocol/signaling.ts";
import { signalingUrl } from "../protocol/signaling_query.ts";
import {
  type Candidate,
  type DiscoveredType,
  type PingAnswer,
  readCandidates,
  readDescription,
  readDiscovered,
  readPong,
  readSigningKey,
  type ServiceDescription,
} from "./answers.ts";
import type { CredentialWatch } from "./credential_watch.ts";
import type { ReportedLoad } from "./node_load.ts";
import { type Reply, succeeded } from "./reply.ts";
import { serverError } from "./server_error.ts";
import { type ConnectionComponents, SignalingConnection } from "./signaling_connection.ts";
import {
  type RelayInit,
  type SignalingListener,
  SignalingListeners,
} from "./signaling_listeners.ts";
import { type RequestOptions, SignalingRequests } from "./signaling_requests.ts";

/** What the client works with. */
export interface SignalingComponents extends ConnectionComponents {
  readonly credentials: CredentialWatch;
  readonly tracer?: Tracer | undefined;
}

/** Where signaling is, and bounds. */
export interface SignalingOptions {
  /** `ws://…` or `wss://…`; a query in it is kept. */
  readonly url: string;
  /** Set when this node can only answer WebRTC offers. */
  readonly webrtcRole?: "answer";
  /** Limit of one attempt to connect, milliseconds. @default 30000 */
  readonly connectLimitMs?: number;
  /** Limit of one answer, milliseconds. @default 5000 */
  readonly replyLimitMs?: number;
  /** Requests that may wait at once. @default 256 */
  readonly maxPending?: number;
  /** Largest message accepted, bytes. @default 1048576 */
  readonly maxMessageBytes?: number;
  /** Bytes that may wait to be sent. @default 1048576 */
  readonly maxBufferedBytes?: number;
}

/** Code of an error that says that a message was dropped. */
const tooManyMessages = 429;

/** This node's end of the signaling server (`spec/protocol.md` §7): one connection that comes back by itself, requests over it, and messages to other nodes. */
export class SignalingClient {
  readonly #components: SignalingComponents;
  readonly #connection: SignalingConnection;
  readonly #requests: SignalingRequests;
  readonly #listeners: SignalingListeners;
  /** By text form: asked for again at each connection, since servers may forget them. */
  readonly #subscriptions = new Map<string, ActrType>();
  readonly #closed = new AbortController();

  constructor(components: SignalingComponents, options: SignalingOptions) {
    const { url, webrtcRole } = options;
    const role = webrtcRole === undefined ? {} : { webrtcRole };
    this.#components = components;
    this.#listeners = new SignalingListeners(components.log);
    this.#connection = new SignalingConnection(
      components,
      {
        url: ({ id, credential }) => signalingUrl(url, { id, credential, ...role }),
        connectLimitMs: options.connectLimitMs ?? 30_000,
        maxMessageBytes: options.maxMessageBytes ?? 1_048_576,
      },
      {
        connecting: (attempt) => this.#listeners.tell((l) => l.connecting?.(attempt)),
        connected: () => this.#onConnected(),
        disconnected: (reason) => this.#onDisconnected(reason),
        failed: (error) => this.#listeners.tell((l) => l.failed?.(error)),
        message: (data) => this.#onMessage(data),
        refused: (identity) => components.credentials.refused(identity),
      },
    );
    this.#requests = new SignalingRequests(
      { ...components, socket: () => this.#connection.socket },
      {
        replyLimitMs: options.replyLimitMs ?? 5_000,
        maxPending: options.maxPending ?? 256,
        maxBufferedBytes: options.maxBufferedBytes ?? 1_048_576,
      },
    );
  }

  /** Whether the connection is open now. */
  get connected(): boolean {
    return this.#connection.socket !== undefined;
  }

  /** Starts if it is not started, and waits for the connection; from then on it comes back by itself. @throws ActrError `stopping` once closed; the signal's reason. */
  connect(options: { readonly signal: AbortSignal }): Promise<void> {
    return this.#connection.connect(options);
  }

  /** Tries to connect now instead of after the pause; does nothing when connected or within 1 s of the last attempt. */
  wake(): void {
    this.#connection.wake();
  }

  /** Attempts nothing until {@link SignalingClient.attempt}; a connection that is open stays. */
  hold(): void {
    this.#connection.hold();
  }

  /** Ends the connection and stays away until {@link SignalingClient.attempt}; resolves when it has ended. */
  disconnect(reason: string): Promise<void> {
    return this.#connection.disconnect(reason);
  }

  /** Connects now, also after {@link SignalingClient.hold}; the pauses between attempts start over. @throws ActrError why this attempt failed, others follow by themselves; `stopping`; the signal's reason. */
  attempt(options: { readonly signal: AbortSignal }): Promise<void> {
    return this.#connection.attempt(options);
  }

  /** Gives the connection up for a new one. */
  reconnect(reason: string): void {
    this.#connection.reconnect(reason);
  }

  /** Adds a listener; returns what removes it. */
  listen(listener: SignalingListener): () => void {
    return this.#listeners.add(listener);
  }

  /** Ends the connection for good and fails what waits with `stopping`. Idempotent. */
  async close(): Promise<void> {
    const reason = new ActrError("stopping", "the signaling client is closed");
    this.#closed.abort(reason);
    this.#requests.close(reason);
    await this.#connection.close();
  }

  /** Tells that the node lives, and its load. @throws ActrError as every request: `unavailable`, `timed_out`, `overloaded`, `permission_denied`, `not_found`, `decode_failure`, `stopping`. */
  async ping(load: ReportedLoad, options: RequestOptions): Promise<PingAnswer> {
    return readPong(await this.#requests.request("pong", { case: "ping", value: load }, options));
  }

  /** Tells that the node leaves. @throws ActrError see {@link SignalingClient.ping}. */
  async unregister(reason: string, options: RequestOptions): Promise<void> {
    const actrId = toActrIdMessage(this.#components.session.current.id);
    const request = { case: "unregisterRequest", value: { actrId, reason } } as const;
    succeeded("unregister", await this.#requests.request("unregisterResponse", request, options));
  }

  /**
   * Other nodes that serve `type`, the server's best first; none is an empty list.
   * @param options.fingerprint of the description that the caller was built with: nodes that have it come first.
   * @throws ActrError see {@link SignalingClient.ping}.
   */
  async routeCandidates(
    type: ActrType,
    count: number,
    options: RequestOptions & { readonly fingerprint?: string },
  ): Promise<Candidate[]> {
    const { fingerprint = "" } = options;
    const { id: self } = this.#components.session.current;
    // Real servers find the one who asks as well.
    const candidateCount = actrTypeEquals(type, self.type) ? count + 1 : count;
    const value = {
      targetType: type,
      criteria: {
        candidateCount,
        rankingFactors: fingerprint === "" ? [] : [RankingFactor.EXACT_MATCH_FIRST],
      },
      clientFingerprint: fingerprint,
    };
    const request = { case: "routeCandidatesRequest", value } as const;
    const answer = await this.#requests.request("routeCandidatesResponse", request, options);
    const found = readCandidates(succeeded("route candidates", answer), candidateCount);
    return found.filter(({ id }) => !isSamePeer(id, self)).slice(0, count);
  }

  /** Types that some node serves, of one manufacturer or of all. @throws ActrError see {@link SignalingClient.ping}. */
  async discover(
    manufacturer: string | undefined,
    limit: number,
    options: RequestOptions,
  ): Promise<DiscoveredType[]> {
    const value = { limit, ...(manufacturer === undefined ? {} : { manufacturer }) };
    const request = { case: "discoveryRequest", value } as const;
    const answer = await this.#requests.request("discoveryResponse", request, options);
    return readDiscovered(succeeded("discovery", answer), limit);
  }

  /** Raw Ed25519 public key of the identity service, 32 bytes. @throws ActrError `not_found` for an unknown id; see {@link SignalingClient.ping}. */
  async getSigningKey(keyId: number, options: RequestOptions): Promise<Uint8Array<ArrayBuffer>> {
    const request = { case: "getSigningKeyRequest", value: { keyId } } as const;
    return readSigningKey(
      await this.#requests.request("getSigningKeyResponse", request, options),
      keyId,
    );
  }

  /** Description of the service that some node registered under `name`. @throws ActrError `not_found`; see {@link SignalingClient.ping}. */
  async getServiceSpec(name: string, options: RequestOptions): Promise<ServiceDescription> {
    const request = { case: "getServiceSpecRequest", value: { name } } as const;
    const answer = await this.#requests.request("getServiceSpecResponse", request, options);
    return readDescription(succeeded("service description", answer));
  }

  /** Asks for `actrUp` events of a type, from now on and at every later connection. @throws ActrError see {@link SignalingClient.ping}. */
  async subscribe(type: ActrType, options: RequestOptions): Promise<void> {
    this.#subscriptions.set(formatActrType(type), type);
    const request = { case: "subscribeActrUpRequest", value: { targetType: type } } as const;
    succeeded(
      "subscription",
      await this.#requests.request("subscribeActrUpResponse", request, options),
    );
  }

  /** Ends {@link SignalingClient.subscribe}. @throws ActrError see {@link SignalingClient.ping}. */
  async unsubscribe(type: ActrType, options: RequestOptions): Promise<void> {
    this.#subscriptions.delete(formatActrType(type));
    const request = { case: "unsubscribeActrUpRequest", value: { targetType: type } } as const;
    succeeded(
      "unsubscription",
      await this.#requests.request("unsubscribeActrUpResponse", request, options),
    );
  }

  /**
   * Hands a message for another node to the server; nobody says that it arrives. Returns its envelope id, by which a
   * listener's `relayRefused` tells that it does not. @throws ActrError `unavailable`, `overloaded`.
   */
  sendRelay(target: ActrId, payload: RelayInit, trace: TraceContext = {}): string {
    return this.#requests.relay(target, payload, trace);
  }

  #onConnected(): void {
    this.#components.log.debug("signaling.socket.opened");
    this.#listeners.tell((l) => l.connected?.());
    for (const type of this.#subscriptions.values()) {
      this.subscribe(type, { signal: this.#closed.signal }).catch((error: unknown) =>
        this.#components.log.warn("signaling.subscription.lost", { error }),
      );
    }
  }

  #onDisconnected(reason: string): void {
    this.#components.log.debug("signaling.socket.ended", { reason });
    this.#requests.lost(reason);
    this.#listeners.tell((l) => l.disconnected?.(reason));
  }

  #onMessage(data: Uint8Array): void {
    let span: Span | undefined;
    try {
      const envelope = decodeSignaling(data);
      span = this.#trace(envelope);
      this.#receive(envelope);
      span?.end();
    } catch (error) {
      span?.end(error);
      this.#components.log.warn("signaling.message.ignored", {
        reason: ActrError.from(error).message,
      });
    }
  }

  /** Only what belongs to somebody's trace has a span: heartbeats would be most of them. */
  #trace({ envelopeId, traceparent, tracestate }: SignalingEnvelope): Span | undefined {
    const { tracer } = this.#components;
    if (tracer === undefined || traceparent === "") return undefined;
    const parent = { traceparent, tracestate: tracestate === "" ? undefined : tracestate };
    return tracer.start("signaling.receive_envelope", parent, { envelope_id: envelopeId });
  }

  #receive({ flow, replyFor, traceparent, tracestate }: SignalingEnvelope): void {
    switch (flow.case) {
      case "serverToActr":
        if (this.#requests.settle(replyFor, flow.value.payload)) return;
        if (this.#told(flow.value.payload, replyFor)) return;
        break;
      case "actrRelay":
        this.#relayed(flow.value, {
          ...(traceparent === "" ? {} : { traceparent }),
          ...(tracestate === "" ? {} : { tracestate }),
        });
        return;
      case "envelopeError":
        if (flow.value.code !== tooManyMessages) break;
        this.#components.log.debug("signaling.message.dropped", { by: "server" });
        this.#requests.dropped(flow.value.message);
        return;
      default:
        break;
    }
    this.#components.log.debug("signaling.message.unexpected", {
      flow: flow.case,
      reply_for: replyFor,
    });
  }

  /** Whether it is something that listeners are told. */
  #told(payload: Reply, replyFor: string): boolean {
    if (payload.case === "actrUpEvent") {
      const id = fromActrIdMessage(payload.value.actorId);
      this.#listeners.tell((l) => l.actrUp?.(id));
      return true;
    }
    if (payload.case !== "error" || replyFor === "") return false;
    const error = serverError("a relay", payload.value);
    const fields = { reply_for: replyFor, error_code: payload.value.code };
    this.#components.log.debug("signaling.relay.refused", fields);
    this.#listeners.tell((l) => l.relayRefused?.(replyFor, error));
    return true;
  }

  #relayed({ source, target, payload }: ActrRelay, trace: TraceContext): void {
    if (payload.case === undefined) return;
    const [from, to] = [fromActrIdMessage(source), fromActrIdMessage(target)];
    this.#listeners.tell((l) => l.relay?.({ source: from, target: to, payload, trace }));
  }
}
