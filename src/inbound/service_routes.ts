import type { Context } from "../context.ts";
import type {
  AclRule,
  AnyService,
  ExplicitHandler,
  Handler,
  MethodOptions,
  ServiceDefinition,
  StreamHandler,
} from "../define.ts";
import { ActrError } from "../errors.ts";
import { TargetFinder } from "../outbound/target_finder.ts";
import { type MethodCodec, methodCodecs } from "../protocol/service.ts";
import type { Reply } from "../reply.ts";
import { nearestRules } from "./acl.ts";
import { keyReader } from "./conflict_key.ts";
import { forwarding, ownKeys } from "./forward.ts";
import { isAnswerable } from "./message.ts";
import type { Handled, Route } from "./route.ts";
import { answeringWithStream } from "./server_stream.ts";

const empty = new Uint8Array(0);

type AnyHandler =
  | Handler<unknown, unknown>
  | ExplicitHandler<unknown, unknown>
  | StreamHandler<unknown, unknown>;

/** What the rules of services and methods stand within. */
export interface Access {
  /** The node's own realm. */
  readonly realm: number;
  /** The node's own rules. */
  readonly acl?: readonly AclRule[];
}

/**
 * The routes of all services of a node.
 * @throws ActrError `config` when two services claim one route, a handler is missing, a rule is malformed, or a conflict key cannot be read.
 */
export function serviceRoutes(
  services: readonly AnyService[],
  access: Access = { realm: 0 },
): Map<string, Route> {
  const routes = new Map<string, Route>();
  const finder = new TargetFinder();
  for (const service of services) {
    for (const codec of methodCodecs(service.descriptor)) {
      if (routes.has(codec.routeKey)) {
        throw new ActrError("config", `route ${codec.routeKey} is served twice; serve it once`);
      }
      routes.set(codec.routeKey, methodRoute(service, codec, access, finder));
    }
  }
  return routes;
}

function methodRoute(
  service: AnyService,
  codec: MethodCodec,
  access: Access,
  finder: TargetFinder,
): Route {
  const all = service.methods as Readonly<Record<string, MethodOptions>> | undefined;
  const options = all?.[codec.name] ?? {};
  const { durable = false, conflictKey, reentrant = false } = options;
  const rules = nearestRules([access.acl, service.acl, options.acl], access.realm);
  const route = {
    key: codec.routeKey,
    durable,
    reentrant,
    ...(rules && { rules }),
    ...(conflictKey && { keyOf: keyReader(codec, conflictKey) }),
  };
  if (service.kind === "forward") {
    return { keyOf: ownKeys(), ...route, handle: forwarding(finder, service.type, codec) };
  }
  return { ...route, ...handling(service, codec) };
}

function handling(
  service: ServiceDefinition,
  codec: MethodCodec,
): Pick<Route, "handle" | "explicit"> {
  const handlers = service.handlers as Readonly<Record<string, AnyHandler | undefined>>;
  const handler = handlers[codec.name];
  if (handler === undefined) {
    throw new ActrError("config", `${codec.routeKey} has no handler; add handlers.${codec.name}`);
  }
  if (typeof handler === "object") return { explicit: true, handle: explicitly(codec, handler) };
  if (codec.streamType === undefined) {
    return { handle: returning(codec, handler as Handler<unknown, unknown>, handlers) };
  }
  const stream = handler as StreamHandler<unknown, unknown>;
  return {
    handle: answeringWithStream({
      lane: codec.streamType,
      open: (payload, context) => stream.call(handlers, codec.decodeRequest(payload), context),
      encode: (item) => codec.encodeResponse(item),
    }),
  };
}

/** Answers with what the handler returns; where nobody waits for an answer, none is encoded. */
function returning(
  codec: MethodCodec,
  handler: Handler<unknown, unknown>,
  handlers: unknown,
): Route["handle"] {
  return (payload, context, _reply, { message }) => {
    const result = handler.call(handlers, codec.decodeRequest(payload), context);
    const answer = isAnswerable(message) ? codec.encodeResponse : noResponse;
    if (!isThenable(result)) return answer(result);
    return Promise.resolve(result).then(answer);
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

function noResponse(): Uint8Array {
  return empty;
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
