import type { ActorKey, QueueOutcome, RawSocket } from "../actor.ts";
import type {
  ActorCaller,
  CallTarget,
  ConnectionToActor,
  HandleOptions,
  RequestOptions,
  SendOptions,
} from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Sockets } from "../ports/sockets.ts";
import { formatActorKey } from "../protocol/actors/actor_key.ts";
import {
  readActionResponse,
  readQueueResult,
  writeActionRequest,
  writeQueueSend,
} from "../protocol/actors/client_codec.ts";
import { abortAfter } from "../time_limit.ts";
import { ActorLinks } from "./actor_links.ts";
import { failureIn } from "./gateway_failure.ts";
import { encodedInput, gatewayUrl } from "./gateway_url.ts";
import { retried, wasRefused } from "./retried.ts";

/** What {@link HttpActors} works with. */
export interface HttpActorParts {
  /** Base address of the node that hosts them, such as `http://host:8080`. */
  readonly address: string;
  readonly fetch: typeof globalThis.fetch;
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  /** Deadline of a call over all its tries, milliseconds. @default 65000, a little more than what an actor gives its actions */
  readonly timeoutMs?: number;
  /** What the node opens its actors to. */
  readonly token?: string | undefined;
}

const defaultTimeoutMs = 65_000;

/**
 * Calls the actors of another node over HTTP, each call a request of its own, and connects to them by WebSocket. What fails for now is tried again;
 * an action has a key that names it, so that it takes effect once however often it is tried.
 */
export class HttpActors implements ActorCaller {
  readonly #base: string;
  readonly #parts: HttpActorParts;
  readonly #links: ActorLinks;

  constructor(parts: HttpActorParts) {
    this.#parts = parts;
    this.#base = parts.address.replace(/\/+$/, "").replace(/^ws/, "http");
    const { timeoutMs = defaultTimeoutMs, token } = parts;
    this.#links = new ActorLinks({ ...parts, base: this.#base, timeoutMs, token });
  }

  async act(
    target: CallTarget,
    action: string,
    args: readonly unknown[],
    options: HandleOptions = {},
  ): Promise<unknown> {
    const path = gatewayUrl(target, `/action/${encodeURIComponent(action)}`);
    const body = writeActionRequest(args);
    return readActionResponse(await this.#post(path, body, options, () => true));
  }

  async send(
    target: CallTarget,
    queue: string,
    body: unknown,
    { wait = false, timeoutMs, ...options }: SendOptions = {},
  ): Promise<QueueOutcome> {
    const path = gatewayUrl(target, `/queue/${encodeURIComponent(queue)}`);
    const message = writeQueueSend(queue, { body, wait, timeoutMs });
    return readQueueResult(await this.#post(path, message, options, wasRefused));
  }

  /** Never tried again: what a request does is not known here. */
  fetch(target: CallTarget, path: string, options: RequestOptions = {}): Promise<Response> {
    const { init = {}, signal } = options;
    const url = gatewayUrl(target, `/request/${path.replace(/^\//, "")}`);
    return this.#bounded(options, async (bounds) => {
      const signals = [bounds, init.signal, signal].filter((each) => each != null);
      const response = await this.#send(url, { ...init, signal: AbortSignal.any(signals) });
      if (!response.headers.has("x-rivet-error")) return response;
      throw failureIn(response, new Uint8Array(await response.arrayBuffer()));
    });
  }

  async resolve(target: CallTarget, options: HandleOptions = {}): Promise<string> {
    if ("id" in target) return target.id;
    const { name, key, create } = target;
    if (create !== undefined) return await this.#make("PUT", name, key, create.input, options);
    const query = new URLSearchParams({ name, key: formatActorKey(key) });
    const found = await this.#json(`/actors?${query}`, {}, options);
    const [actor] = (found as { actors: ActorObject[] }).actors;
    if (actor !== undefined) return actor.actor_id;
    throw new ActrError("actor.not_found", `there is no actor ${name} ${formatActorKey(key)}`);
  }

  create(
    name: string,
    key: ActorKey,
    input: unknown,
    options: HandleOptions = {},
  ): Promise<string> {
    return this.#make("POST", name, key, input, options);
  }

  connect(target: CallTarget, params: unknown, options: HandleOptions = {}): ConnectionToActor {
    return this.#links.connect(target, params, options);
  }

  webSocket(target: CallTarget, path: string, options: HandleOptions = {}): Promise<RawSocket> {
    return this.#links.webSocket(target, path, options);
  }

  /** Closes its connections; raw WebSockets are their owners'. */
  close(): void {
    this.#links.close();
  }

  async #make(
    method: string,
    name: string,
    key: ActorKey,
    input: unknown,
    options: HandleOptions,
  ): Promise<string> {
    const body = JSON.stringify({
      name,
      key: formatActorKey(key),
      ...(input === undefined ? {} : { input: encodedInput(input) }),
      crash_policy: "sleep",
    });
    const made = await this.#json("/actors", { method, body }, options);
    return (made as { actor: ActorObject }).actor.actor_id;
  }

  async #json(path: string, init: RequestInit, options: HandleOptions): Promise<unknown> {
    const bytes = await this.#bounded(options, (signal) => this.#ask(path, { ...init, signal }));
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  /** Posts under a key, and again where `mayRepeat` allows it. */
  #post(
    path: string,
    body: Uint8Array<ArrayBuffer>,
    options: HandleOptions,
    mayRepeat: (error: ActrError) => boolean,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { random } = this.#parts;
    const headers = {
      "x-rivet-encoding": "bare",
      "content-type": "application/octet-stream",
      "idempotency-key": random.uuid(),
    };
    const init = { method: "POST", headers, body };
    return this.#bounded(options, (signal) =>
      retried(this.#parts, signal, () => this.#ask(path, { ...init, signal }), mayRepeat),
    );
  }

  /** @throws ActrError `timed_out`; the signal's reason. */
  async #bounded<T>(
    { signal }: HandleOptions,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, timeoutMs = defaultTimeoutMs } = this.#parts;
    signal?.throwIfAborted();
    const limit = abortAfter(clock, timeoutMs, signal, `a call of ${this.#base}`);
    try {
      return await work(limit.signal);
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : error;
    } finally {
      limit.cancel();
    }
  }

  /** The body of an answer. @throws ActrError what the node says; `unavailable` when nobody answers. */
  async #ask(path: string, init: RequestInit): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#send(path, init);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.ok) return bytes;
    throw failureIn(response, bytes);
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const { fetch, token } = this.#parts;
    const headers = new Headers(init.headers);
    if (token !== undefined) {
      headers.set("x-rivet-token", token);
      if (path.startsWith("/actors")) headers.set("authorization", `Bearer ${token}`);
    }
    try {
      return await fetch(`${this.#base}${path}`, { ...init, headers });
    } catch (cause) {
      throw new ActrError("unavailable", `${this.#base} does not answer`, { cause });
    }
  }
}

interface ActorObject {
  readonly actor_id: string;
}
