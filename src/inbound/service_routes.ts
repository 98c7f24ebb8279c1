import type { Context } from "../context.ts";
import type { ServiceDefinition } from "../define.ts";
import { ActrError } from "../errors.ts";
import { type MethodCodec, methodCodecs } from "../protocol/service.ts";
import type { Route } from "./route.ts";

type Handler = (request: unknown, context: Context) => unknown;

/**
 * The routes of all services of a node.
 * @throws ActrError `config` when two services claim one route, or a handler is missing.
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
  const handlers = service.handlers as Readonly<Record<string, Handler | undefined>>;
  const options = service.methods as Readonly<Record<string, { durable?: boolean }>> | undefined;
  const handler = handlers[codec.name];
  if (handler === undefined) {
    throw new ActrError("config", `${codec.routeKey} has no handler; add handlers.${codec.name}`);
  }
  return {
    key: codec.routeKey,
    durable: options?.[codec.name]?.durable === true,
    handle(payload, context) {
      const result = handler.call(handlers, codec.decodeRequest(payload), context);
      if (!isThenable(result)) return codec.encodeResponse(result);
      return Promise.resolve(result).then((init) => codec.encodeResponse(init));
    },
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
