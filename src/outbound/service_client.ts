import type {
  CallOptions,
  ClientMethod,
  ClientStreamMethod,
  Destination,
  NodeContext,
  ServiceClient,
  StreamCallOptions,
  TellOptions,
} from "../context.ts";
import { type MethodCodec, methodCodecs, type ServiceDescriptor } from "../protocol/service.ts";
import { callForStream, type StreamCaller } from "./server_stream.ts";

/** Sends encoded messages to one target, however that is found. */
export interface Sender {
  call(routeKey: string, payload: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  tell(routeKey: string, payload: Uint8Array, options?: TellOptions): Promise<void>;
  stream(
    routeKey: string,
    payload: Uint8Array,
    options?: StreamCallOptions,
  ): AsyncIterable<Uint8Array>;
}

/** What a sender sends in the name of. */
export type SendingContext = StreamCaller & Pick<NodeContext, "tell">;

/** Sends to one destination in the name of `context`. */
export function senderTo(context: SendingContext, target: Destination): Sender {
  return {
    call: (routeKey, payload, options) => context.call(target, routeKey, payload, options),
    tell: (routeKey, payload, options) => context.tell(target, routeKey, payload, options),
    stream: (routeKey, payload, options) =>
      callForStream(context, target, routeKey, payload, options),
  };
}

/** Sends to a destination that is only found when something is to be sent. */
export function senderToFound(
  find: () => Promise<{ readonly context: SendingContext; readonly target: Destination }>,
): Sender {
  const found = async (): Promise<Sender> => {
    const { context, target } = await find();
    return senderTo(context, target);
  };
  return {
    call: async (...request) => await (await found()).call(...request),
    tell: async (...message) => await (await found()).tell(...message),
    async *stream(...request) {
      yield* (await found()).stream(...request);
    },
  };
}

/** A typed client of `descriptor`; each method encodes, sends and decodes. */
export function serviceClient<S extends ServiceDescriptor>(
  sender: Sender,
  descriptor: S,
): ServiceClient<S> {
  const methods = methodCodecs(descriptor).map(
    (codec) =>
      [
        codec.name,
        codec.streamType === undefined ? clientMethod(sender, codec) : streamMethod(sender, codec),
      ] as const,
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

function streamMethod(sender: Sender, codec: MethodCodec): ClientStreamMethod<unknown, unknown> {
  return async function* (request, options): AsyncGenerator<unknown, undefined, undefined> {
    const payload = codec.encodeRequest(request);
    for await (const item of sender.stream(codec.routeKey, payload, options)) {
      yield codec.decodeResponse(item);
    }
  };
}
