import type { ActorKey } from "../actor.ts";
import type { ActorCaller, CallTarget, HandleOptions } from "../actor_client.ts";
import { ActrError, type ErrorCode, errorCodes } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { formatActorKey } from "../protocol/actors/actor_key.ts";
import {
  readActionResponse,
  readErrorBody,
  writeActionRequest,
} from "../protocol/actors/client_codec.ts";
import { bareLayer, escaped } from "../protocol/actors/escaping.ts";
import type { ErrorBody } from "../protocol/actors/messages.ts";
import { toBase64 } from "../protocol/bytes.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";
import { withinLimit } from "../time_limit.ts";

/** What {@link HttpActors} works with. */
export interface HttpActorParts {
  /** Base address of the node that hosts them, such as `http://host:8080`. */
  readonly address: string;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** Deadline of a call, milliseconds. @default 65000, a little more than what an actor gives its actions */
  readonly timeoutMs?: number;
  /** What the node opens its actors to. */
  readonly token?: string | undefined;
}

const defaultTimeoutMs = 65_000;
const { signal: never } = new AbortController();

/** Calls the actors of another node over HTTP: each call is a request of its own. */
export class HttpActors implements ActorCaller {
  readonly #base: string;
  readonly #parts: HttpActorParts;

  constructor(parts: HttpActorParts) {
    this.#parts = parts;
    this.#base = parts.address.replace(/\/+$/, "").replace(/^ws/, "http");
  }

  async act(
    target: CallTarget,
    action: string,
    args: readonly unknown[],
    options: HandleOptions = {},
  ): Promise<unknown> {
    const path = `${gatewayPath(target)}/action/${encodeURIComponent(action)}${gatewayQuery(target)}`;
    const headers = { "x-rivet-encoding": "bare", "content-type": "application/octet-stream" };
    const init = { method: "POST", headers, body: writeActionRequest(args) };
    return readActionResponse(await this.#ask(path, init, options));
  }

  async resolve(target: CallTarget, options: HandleOptions = {}): Promise<string> {
    if ("id" in target) return target.id;
    const { name, key } = target;
    const { create } = target;
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
      ...(input === undefined ? {} : { input: toBase64(encodeCbor(escaped(input, bareLayer))) }),
      crash_policy: "sleep",
    });
    const made = await this.#json("/actors", { method, body }, options);
    return (made as { actor: ActorObject }).actor.actor_id;
  }

  async #json(path: string, init: RequestInit, options: HandleOptions): Promise<unknown> {
    return JSON.parse(new TextDecoder().decode(await this.#ask(path, init, options)));
  }

  /** The body of an answer. @throws ActrError what the node says; `unavailable` when nobody answers, `timed_out`. */
  async #ask(
    path: string,
    init: RequestInit,
    { signal = never }: HandleOptions,
  ): Promise<Uint8Array> {
    const { clock, timeoutMs = defaultTimeoutMs } = this.#parts;
    const limit = { what: `a call of ${this.#base}`, ms: timeoutMs, signal };
    return await withinLimit(clock, limit, async (bounds) => {
      const response = await this.#send(path, { ...init, signal: bounds });
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (response.ok) return bytes;
      throw errorOf(response, bytes);
    });
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    const { fetch, token } = this.#parts;
    const headers = new Headers(init.headers);
    if (token !== undefined) {
      headers.set("x-rivet-token", token);
      headers.set("authorization", `Bearer ${token}`);
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

function gatewayPath(target: CallTarget): string {
  return `/gateway/${encodeURIComponent("id" in target ? target.id : target.name)}`;
}

/** The address by key (`spec/actor-client.md` §4.2). @throws RangeError for a key whose parts have commas: nobody could tell them apart. */
function gatewayQuery(target: CallTarget): string {
  if ("id" in target) return "";
  const { key, create } = target;
  for (const part of key) {
    if (part.includes(",") || (part === "" && key.length === 1)) {
      throw new RangeError(
        `a part of an actor's key is ${JSON.stringify(part)}; it may have no comma`,
      );
    }
  }
  const query = new URLSearchParams({
    "rvt-namespace": "default",
    "rvt-method": create === undefined ? "get" : "getOrCreate",
  });
  if (key.length > 0) query.set("rvt-key", key.join(","));
  if (create === undefined) return `?${query}`;
  query.set("rvt-runner", "default");
  if (create.input !== undefined) query.set("rvt-input", base64Url(create.input));
  return `?${query}`;
}

function base64Url(input: unknown): string {
  const text = toBase64(encodeCbor(escaped(input, bareLayer)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The error as it was thrown there, as far as it may be known here. */
function errorOf(response: Response, bytes: Uint8Array): ActrError {
  const body = readError(response, bytes);
  if (body === undefined) {
    return new ActrError("unavailable", `${response.url} answers with ${response.status}`);
  }
  const { group, code, message, metadata } = body;
  const details =
    typeof metadata === "object" && metadata !== null
      ? { details: metadata as Readonly<Record<string, unknown>> }
      : {};
  const after = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfter = after >= 0 ? { retryAfterMs: 1000 * after } : {};
  return new ActrError(codeOf(group, code), message, { ...details, ...retryAfter });
}

/** Undefined for what is none: something else answered, such as a proxy. */
function readError(response: Response, bytes: Uint8Array): ErrorBody | undefined {
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  try {
    return isJson ? JSON.parse(new TextDecoder().decode(bytes)) : readErrorBody(bytes);
  } catch {
    return undefined;
  }
}

function codeOf(group: string, code: string): ErrorCode {
  if (code === "internal_error") return "internal";
  if (group === "user" && (errorCodes as readonly string[]).includes(code))
    return code as ErrorCode;
  return `${group}.${code}` as ErrorCode;
}
