import type { Context } from "hono";
import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import type { ActorHost } from "../../host/actor_host.ts";
import type { Instance } from "../../host/instance.ts";
import { formatActorKey } from "../../protocol/actors/actor_key.ts";
import { codecOf } from "../../protocol/actors/codecs.ts";
import type { ActorCodec, ActorSpecifier } from "../../protocol/actors/messages.ts";
import { jsonCodec } from "../../protocol/actors/tree_codec.ts";
import { errorBody, statusOf } from "./error_answer.ts";
import { readBody } from "./read_body.ts";

/** Who an answer is of. */
export function specifierOf({ id, key }: Instance): ActorSpecifier {
  return { actorId: id, generation: 1, key: formatActorKey(key) };
}

/** Runs an action for an HTTP request: its client is connected for that long (`spec/actor-client.md` §7). */
export async function answerAction(
  host: ActorHost,
  target: CallTarget,
  name: string,
  c: Context,
): Promise<Response> {
  const codec = codecFor(c.req.raw);
  let instance: Instance | undefined;
  try {
    instance = await host.wake(target);
    const body = await readBody(c.req.raw, instance.kind.options.maxIncomingBytes);
    const args = codec.readActionRequest(body);
    const bytes = await actFor(instance, name, args, paramsOf(c.req.raw), codec);
    return answer(codec, 200, bytes, specifierOf(instance));
  } catch (error) {
    return refusal(codec, ActrError.from(error), instance && specifierOf(instance));
  }
}

/** Puts a message into a queue, and waits for its completion if the client does. */
export async function answerQueueSend(
  host: ActorHost,
  target: CallTarget,
  name: string,
  c: Context,
): Promise<Response> {
  const codec = codecFor(c.req.raw);
  let instance: Instance | undefined;
  try {
    instance = await host.wake(target);
    const body = await readBody(c.req.raw, 2 * instance.kind.options.maxQueueMessageBytes);
    const send = codec.readQueueSend(body);
    const result = await instance.send(name, send);
    return answer(codec, 200, codec.queueResult(result), specifierOf(instance));
  } catch (error) {
    return refusal(codec, ActrError.from(error), instance && specifierOf(instance));
  }
}

/** An error as the answer to a request. */
export function refusal(codec: ActorCodec, error: ActrError, actor?: ActorSpecifier): Response {
  const response = answer(codec, statusOf(error), codec.error(errorBody(error, actor)), actor);
  if (error.retryAfterMs !== undefined) {
    response.headers.set("retry-after", String(Math.ceil(error.retryAfterMs / 1000)));
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

async function actFor(
  instance: Instance,
  name: string,
  args: readonly unknown[],
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
      instance.act({ name, args, conn, answer });
    });
  } finally {
    await conn.disconnect();
  }
}

function answer(
  codec: ActorCodec,
  status: number,
  body: Uint8Array<ArrayBuffer>,
  actor?: ActorSpecifier,
): Response {
  const headers = new Headers({ "content-type": codec.contentType });
  if (actor !== undefined) {
    headers.set("x-rivet-actor", actor.actorId);
    headers.set("x-rivet-actor-generation", String(actor.generation));
    const key = headerText(actor.key ?? "");
    if (key !== undefined) headers.set("x-rivet-actor-key", key);
  }
  return new Response(body, { status, headers });
}

/** UTF-8 bytes as the characters that headers take; undefined for what no header can hold. */
function headerText(text: string): string | undefined {
  if (/[\r\n\0]/.test(text)) return undefined;
  return String.fromCharCode(...new TextEncoder().encode(text));
}
