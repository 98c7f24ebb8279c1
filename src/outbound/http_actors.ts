import type { ActorKey } from "../actor.ts";
import type { ActorCaller, CallTarget } from "../actor_client.ts";
import { ActrError, type ErrorCode, errorCodes } from "../errors.ts";
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

/** What {@link HttpActors} works with. */
export interface HttpActorParts {
  /** Base address of the node that hosts them, such as `http://host:8080`. */
  readonly address: string;
  readonly fetch: typeof globalThis.fetch;
  /** What the node opens its actors to. */
  readonly token?: string | undefined;
}

/** Calls the actors of another node over HTTP: each call is a request of its own. */
export class HttpActors implements ActorCaller {
  readonly #base: string;
  readonly #parts: HttpActorParts;

  constructor(parts: HttpActorParts) {
    this.#parts = parts;
    this.#base = parts.address.replace(/\/+$/, "").replace(/^ws/, "http");
  }

  async act(target: CallTarget, action: string, args: readonly unknown[]): Promise<unknown> {
    const path = `${gatewayPath(target)}/action/${encodeURIComponent(action)}${gatewayQuery(target)}`;
    const headers = { "x-rivet-encoding": "bare", "content-type": "application/octet-stream" };
    const body = writeActionRequest(args);
    const response = await this.#send(path, { method: "POST", headers, body });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.ok) return readActionResponse(bytes);
    throw errorOf(readError(response, bytes));
  }

  async resolve(target: CallTarget): Promise<string> {
    if ("id" in target) return target.id;
    const { name, key } = target;
    if (target.create !== undefined) return await this.#make("PUT", name, key, target.create.input);
    const query = new URLSearchParams({ name, key: formatActorKey(key) });
    const { actors } = (await this.#json(`/actors?${query}`, {})) as { actors: ActorObject[] };
    const [found] = actors;
    if (found !== undefined) return found.actor_id;
    throw new ActrError("actor.not_found", `there is no actor ${name} ${formatActorKey(key)}`);
  }

  create(name: string, key: ActorKey, input: unknown): Promise<string> {
    return this.#make("POST", name, key, input);
  }

  async #make(method: string, name: string, key: ActorKey, input: unknown): Promise<string> {
    const body = JSON.stringify({
      name,
      key: formatActorKey(key),
      ...(input === undefined ? {} : { input: toBase64(encodeCbor(escaped(input, bareLayer))) }),
      crash_policy: "sleep",
    });
    const { actor } = (await this.#json("/actors", { method, body })) as { actor: ActorObject };
    return actor.actor_id;
  }

  async #json(path: string, init: RequestInit): Promise<unknown> {
    const response = await this.#send(path, init);
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    throw errorOf(answer as ErrorBody);
  }

  /** @throws ActrError `unavailable` when nobody answers. */
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

function readError(response: Response, bytes: Uint8Array): ErrorBody {
  const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
  if (isJson) return JSON.parse(new TextDecoder().decode(bytes));
  return readErrorBody(bytes);
}

/** The error as it was thrown there, as far as it may be known here. */
function errorOf({ group, code, message, metadata }: ErrorBody): ActrError {
  const details =
    typeof metadata === "object" && metadata !== null
      ? { details: metadata as Readonly<Record<string, unknown>> }
      : {};
  return new ActrError(codeOf(group, code), message, details);
}

function codeOf(group: string, code: string): ErrorCode {
  if (code === "internal_error") return "internal";
  if (group === "user" && (errorCodes as readonly string[]).includes(code))
    return code as ErrorCode;
  return `${group}.${code}` as ErrorCode;
}
