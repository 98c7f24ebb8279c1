import type { AnyService } from "../define.ts";
import { ActrError } from "../errors.ts";
import type { Route } from "../inbound/route.ts";
import { decodeDescribeRequest, describeRoute, describeService } from "../protocol/descriptors.ts";

/** A route that answers at once. */
interface ReflectionRoute extends Route {
  handle(payload: Uint8Array): Uint8Array;
}

/** Tells the schema of each service, so that callers need no `.proto` file. Access rules apply as to every route. */
export function reflectionRoute(services: readonly AnyService[]): ReflectionRoute {
  const descriptors = new Map(
    services.map(({ descriptor }) => [descriptor.typeName, descriptor] as const),
  );
  return {
    key: describeRoute,
    durable: false,
    // Neither waits for handlers nor holds any up.
    keyOf: () => describeRoute,
    handle(payload) {
      const name = decodeDescribeRequest(payload);
      const descriptor = descriptors.get(name);
      if (descriptor !== undefined) return describeService(descriptor);
      const served = [...descriptors.keys()].join(", ");
      throw new ActrError("not_found", `${name} is not served here, but ${served}`);
    },
  };
}

/** Adds the reflection route where something is served; a node that only calls takes no requests at all. */
export function withReflection(
  routes: Map<string, Route>,
  services: readonly AnyService[],
): Map<string, Route> {
  return services.length === 0 ? routes : routes.set(describeRoute, reflectionRoute(services));
}
