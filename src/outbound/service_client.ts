import type { CallOptions, NodeContext, ServiceClient } from "../context.ts";
import type { ActrId } from "../protocol/ids.ts";
import { type MethodCodec, methodCodecs, type ServiceDescriptor } from "../protocol/service.ts";

/** A typed client of `descriptor` at `target`; each method encodes, calls and decodes. */
export function serviceClient<S extends ServiceDescriptor>(
  call: NodeContext["call"],
  descriptor: S,
  target: ActrId,
): ServiceClient<S> {
  const methods = methodCodecs(descriptor).map((codec) => [
    codec.name,
    method(call, codec, target),
  ]);
  return Object.fromEntries(methods) as ServiceClient<S>;
}

function method(call: NodeContext["call"], codec: MethodCodec, target: ActrId) {
  return async (request: unknown, options?: CallOptions): Promise<unknown> => {
    const payload = codec.encodeRequest(request);
    return codec.decodeResponse(await call(target, codec.routeKey, payload, options));
  };
}
