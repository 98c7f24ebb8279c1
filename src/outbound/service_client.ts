import type {
  CallOptions,
  ClientMethod,
  Destination,
  NodeContext,
  ServiceClient,
  TellOptions,
} from "../context.ts";
import { type MethodCodec, methodCodecs, type ServiceDescriptor } from "../protocol/service.ts";

/** Sends encoded messages to one target, however that is found. */
export interface Sender {
  call(routeKey: string, payload: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  tell(routeKey: string, payload: Uint8Array, options?: TellOptions): Promise<void>;
}

/** Sends to one destination in the name of `context`. */
export function senderTo(context: Pick<NodeContext, "call" | "tell">, target: Destination): Sender {
  return {
    call: (routeKey, payload, options) => context.call(target, routeKey, payload, options),
    tell: (routeKey, payload, options) => context.tell(target, routeKey, payload, options),
  };
}

/** A typed client of `descriptor`; each method encodes, sends and decodes. */
export function serviceClient<S extends ServiceDescriptor>(
  sender: Sender,
  descriptor: S,
): ServiceClient<S> {
  const methods = methodCodecs(descriptor).map(
    (codec) => [codec.name, clientMethod(sender, codec)] as const,
  );
  return Object.fromEntries(methods) as unknown as ServiceClient<S>;
}

function clientMethod(sender: Sender, codec: MethodCodec): ClientMethod<unknown, unknown> {
  const { routeKey, payloadType } = codec;
  const call = async (request: unknown, options?: CallOptions): Promise<unknown> => {
    const payload = codec.encodeRequest(request);
    const answer = await sender.call(routeKey, payload, { payloadType, ...options });
    return codec.decodeResponse(answer);
  };
  const tell = async (request: unknown, options?: TellOptions): Promise<void> => {
    const payload = codec.encodeRequest(request);
    await sender.tell(routeKey, payload, { payloadType, ...options });
  };
  return Object.assign(call, { tell });
}
