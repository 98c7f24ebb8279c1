import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import type { Instance } from "../../host/instance.ts";
import { sendForClient } from "../../host/queues/awaited_send.ts";
import type { ActionCommand } from "../../host/turns/command.ts";
import { formatActorKey } from "../../protocol/actors/actor_key.ts";
import { codecOf } from "../../protocol/actors/codecs.ts";
import type { ActorCodec, ActorSpecifier } from "../../protocol/actors/messages.ts";
import { jsonCodec } from "../../protocol/actors/tree_codec.ts";
import { readBody } from "../../read_body.ts";
import { errorBody, failureOf, statusOf } from "./error_answer.ts";
import { type ActorRouteParts, hostOf } from "./route_parts.ts";

/** Who an answer is of. */
export function specifierOf({ id, generation, key }: Instance): ActorSpecifier {
  return { actorId: id, generation, key: formatActorKey(key) };
}

/** A request for an actor, and whom it is for. */
export interface ActorRequest {
  readonly parts: ActorRouteParts;
  readonly target: CallTarget;
  readonly raw: Request;
}

/** Runs an action for an HTTP request: its client is connected for that long (`spec/actor-client.md` §7). */
export function answerAction(request: ActorRequest, name: string): Promise<Response> {
  if (!hostOf(request.parts).share.has(request.target)) return passedOn(request, name);
  return answered(request, async (instance, codec) => {
    const body = await bodyOf(request, instance.kind.options.maxIncomingBytes);
    const args = readRequest(() => codec.readActionRequest(body));
    const command = { name, args, ...repeatable(request.raw, name) };
    const bytes = await actFor(instance, command, paramsOf(request.raw), codec);
    return answer(codec, 200, bytes, specifierOf(instance));
  });
}

/** Has an actor that lives on another node run an action; there it has no client that is connected. */
async function passedOn(request: ActorRequest, name: string): Promise<Response> {
  const { parts, target, raw } = request;
  const codec = codecFor(raw);
  try {
    const host = hostOf(parts);
    const body = await bodyOf(request, host.kinds.incomingLimit(target));
    const args = readRequest(() => codec.readActionRequest(body));
    const output = await host.callerOf(repeatable(raw, name)).act(target, name, args);
    return answer(codec, 200, codec.actionResponse(output));
  } catch (error) {
    return refusal(codec, failureOf(error, parts));
  }
}

/** Puts a message into a queue, and waits for its completion if the client does. */
export function answerQueueSend(request: ActorRequest, name: string): Promise<Response> {
  return answered(request, async (instance, codec) => {
    const body = await bodyOf(request, 2 * instance.kind.options.maxQueueMessageBytes);
    const send = readRequest(() => codec.readQueueSend(body));
    const result = await sendForClient(instance, name, send);
    return answer(codec, 200, codec.queueResult(result), specifierOf(instance));
  });
}

/** The body of a request. @throws ActrError as {@link readBody}. */
export function bodyOf(
  { parts, raw }: Pick<ActorRequest, "parts" | "raw">,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return readBody(raw, { maxBytes, clock: hostOf(parts).clock });
}

/** What an actor, awake, makes of a request, or why it does not, in the encoding that the request asks for. */
export async function answered(
  { parts, target, raw }: ActorRequest,
  work: (instance: Instance, codec: ActorCodec) => Promise<Response>,
): Promise<Response> {
  const codec = codecFor(raw);
  let instance: Instance | undefined;
  try {
    instance = await hostOf(parts).wake(target);
    return await work(instance, codec);
  } catch (error) {
    return refusal(codec, failureOf(error, parts), instance && specifierOf(instance));
  }
}

/** @throws ActrError `protocol.invalid_http_request` for a body that is none. */
function readRequest<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!ActrError.is(cause)) throw cause;
    throw new ActrError("protocol.invalid_http_request", cause.message, { cause });
  }
}

/** An error as the answer to a request. */
export function refusal(codec: ActorCodec, error: ActrError, actor?: ActorSpecifier): Response {
  const body = errorBody(error, actor);
  const response = answer(codec, statusOf(error), codec.error(body), actor);
  response.headers.set("x-rivet-error", `${body.group}.${body.code}`);
  if (error.retryAfterMs !== undefined) {
    response.headers.set("retry-after", String(Math.ceil(error.retryAfterMs / 1000)));
    response.headers.set("retry-after-ms", String(Math.ceil(error.retryAfterMs)));
  }
  return response;
}

/** The encoding that a request asks for. */
export function codecFor(request: Request): ActorCodec {
  return codecOf(request.headers.get("x-rivet-encoding") ?? "json") ?? jsonCodec;
}

/** Parameters that a request connects with: JSON, whose bytes are UTF-8. */
export function paramsOf(request: Request): unknown {
  const text = request.headers.get("x-rivet-conn-params");
  if (text === null) return undefined;
  try {
    return JSON.parse(asUtf8(text));
  } catch (cause) {
    throw new ActrError("actor.invalid_request", "x-rivet-conn-params is no JSON", { cause });
  }
}

/** Headers arrive as Latin-1. */
function asUtf8(text: string): string {
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
}

/** The name of a request that may come again, which is done once: another action under the same key is another request. @throws ActrError `actor.invalid_request`. */
function repeatable({ headers }: Request, action: string): Pick<ActionCommand, "request"> {
  const key = headers.get("idempotency-key");
  if (key === null) return {};
  if (/^[!-~]{1,128}$/.test(key)) return { request: `key ${key} ${action}` };
  const message = "an idempotency-key has 1 to 128 visible characters of ASCII";
  throw new ActrError("actor.invalid_request", message);
}

async function actFor(
  instance: Instance,
  command: Omit<ActionCommand, "answer">,
  params: unknown,
  codec: ActorCodec,
): Promise<Uint8Array<ArrayBuffer>> {
  const conn = await instance.connections.visit(params);
  try {
    return await new Promise((resolve, reject) => {
      const answer = {
        take(output: unknown): () => void {
          const bytes = codec.actionResponse(output);
          return () => resolve(bytes);
        },
        fail: reject,
      };
      instance.act({ ...command, conn, answer });
    });
  } finally {
    // Its hook is no part of the answer.
    void conn.disconnect();
  }
}

function answer(
  codec: ActorCodec,
  status: number,
  body: Uint8Array<ArrayBuffer>,
  actor?: ActorSpecifier,
): Response {
  const response = new Response(body, {
    status,
    headers: { "content-type": codec.contentType },
  });
  if (actor !== undefined) signWith(response.headers, actor);
  return response;
}

/** Says in the headers of an answer whom it is of. */
export function signWith(
  headers: Headers,
  { actorId, generation, key = "" }: ActorSpecifier,
): void {
  headers.set("x-rivet-actor", actorId);
  headers.set("x-rivet-actor-generation", String(generation));
  const text = headerText(key);
  if (text !== undefined) headers.set("x-rivet-actor-key", text);
}

/** UTF-8 bytes as the characters that headers take; undefined for what no header can hold. */
function headerText(text: string): string | undefined {
  if (/[\r\n\0]/.test(text)) return undefined;
  return String.fromCharCode(...new TextEncoder().encode(text));
}
