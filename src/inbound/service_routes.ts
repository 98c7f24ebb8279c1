import type { Context } from "../context.ts";
import type { ExplicitHandler, Handler, MethodOptions, ServiceDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import { type MethodCodec, methodCodecs } from "../protocol/service.ts";
import type { Reply } from "../reply.ts";
import { keyReader } from "./conflict_key.ts";
import type { Handled, Route } from "./route.ts";

type AnyHandler = Handler<unknown, unknown> | ExplicitHandler<unknown, unknown>;

/**
 * The routes of all services of a node.
 * @throws ActrError `config` when two services claim one route, a handler is missing, or a conflict key cannot be read.
 */
export function serviceRoutes(services: readonly ServiceDefinition[]): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const service of services) {
    for (const codec of methodCodecs(service.descriptor)) {
      if (routes.has(codec.routeKey)) {
        throw new ActrError("config", `route ${codec.routeKey} is served twice; serve it once`);
      }
      routes.set(codec.routeKey, methodRoute(service, codec));
    }
  }
  return routes;
}

function methodRoute(service: ServiceDefinition, codec: MethodCodec): Route {
  const handlers = service.handlers as Readonly<Record<string, AnyHandler | undefined>>;
  const options = service.methods as Readonly<Record<string, MethodOptions>> | undefined;
  const { durable = false, conflictKey, reentrant = false } = options?.[codec.name] ?? {};
  const handler = handlers[codec.name];
  if (handler === undefined) {
    throw new ActrError("config", `${codec.routeKey} has no handler; add handlers.${codec.name}`);
  }
  const explicit = typeof handler === "object";
  return {
    key: codec.routeKey,
    durable,
    reentrant,
    explicit,
    ...(conflictKey && { keyOf: keyReader(codec, conflictKey) }),
    handle: explicit ? explicitly(codec, handler) : returning(codec, handler, handlers),
  };
}

/** Answers with what the handler returns. */
function returning(
  codec: MethodCodec,
  handler: Handler<unknown, unknown>,
  handlers: unknown,
): Route["handle"] {
  return (payload, context) => {
    const result = handler.call(handlers, codec.decodeRequest(payload), context);
    if (!isThenable(result)) return codec.encodeResponse(result);
    return Promise.resolve(result).then((init) => codec.encodeResponse(init));
  };
}

/** Leaves the answer to the handler. */
function explicitly(
  codec: MethodCodec,
  handler: ExplicitHandler<unknown, unknown>,
): Route["handle"] {
  return (payload: Uint8Array, context: Context, reply: Reply<Uint8Array>) => {
    const typed = new TypedReply(codec, reply);
    const result = handler.explicit(codec.decodeRequest(payload), context, typed);
    return isThenable(result) ? Promise.resolve(result).then(noAnswer) : undefined;
  };
}

function noAnswer(): Handled {
  return undefined;
}

/** A reply that takes messages instead of bytes. */
class TypedReply implements Reply<unknown> {
  readonly #codec: MethodCodec;
  readonly #reply: Reply<Uint8Array>;

  constructor(codec: MethodCodec, reply: Reply<Uint8Array>) {
    this.#codec = codec;
    this.#reply = reply;
  }

  get closed(): boolean {
    return this.#reply.closed;
  }

  send(response: unknown): boolean {
    return this.#reply.send(this.#codec.encodeResponse(response));
  }

  fail(error: unknown): boolean {
    return this.#reply.fail(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
