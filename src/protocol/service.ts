import type {
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { type Lane, lanes } from "./frame.ts";
import { type KeyField, keyField } from "./key_field.ts";
import {
  decode,
  encode,
  encodeForFrame,
  payloadType,
  routeKey,
  type ServiceDescriptor,
} from "./schema.ts";

export type { ServiceDescriptor } from "./schema.ts";

/** Names of a service's unary methods, as generated (lower camel case). */
export type UnaryMethod<S extends ServiceDescriptor> = {
  [Name in keyof S["method"]]: S["method"][Name] extends DescMethodUnary ? Name : never;
}[keyof S["method"]] &
  string;

/** Names of a service's methods that answer with a stream, as generated (lower camel case). */
export type StreamMethod<S extends ServiceDescriptor> = {
  [Name in keyof S["method"]]: S["method"][Name] extends DescMethodServerStreaming ? Name : never;
}[keyof S["method"]] &
  string;

/** Names of a service's methods that can be served: those with one request. */
export type ServedMethod<S extends ServiceDescriptor> = UnaryMethod<S> | StreamMethod<S>;

type MethodOf<S extends ServiceDescriptor, Name extends ServedMethod<S>> =
  S["method"][Name] extends DescMethodUnary<infer Input, infer Output>
    ? { readonly input: Input; readonly output: Output }
    : S["method"][Name] extends DescMethodServerStreaming<infer Input, infer Output>
      ? { readonly input: Input; readonly output: Output }
      : never;

/** What a handler of a method receives. */
export type RequestOf<S extends ServiceDescriptor, Name extends ServedMethod<S>> = MessageShape<
  MethodOf<S, Name>["input"]
>;

/** What a caller of a method may pass: every field optional. */
export type RequestInitOf<
  S extends ServiceDescriptor,
  Name extends ServedMethod<S>,
> = MessageInitShape<MethodOf<S, Name>["input"]>;

/** What a call of a method resolves with. */
export type ResponseOf<S extends ServiceDescriptor, Name extends ServedMethod<S>> = MessageShape<
  MethodOf<S, Name>["output"]
>;

/** What a handler of a method may return: every field optional. */
export type ResponseInitOf<
  S extends ServiceDescriptor,
  Name extends ServedMethod<S>,
> = MessageInitShape<MethodOf<S, Name>["output"]>;

/** Names of a request's fields whose value can be a key: numbers, bools, enums, strings and bytes. */
export type KeyFieldOf<Request> = {
  [Name in keyof Request & string]-?: Name extends `$${string}`
    ? never
    : NonNullable<Request[Name]> extends string | number | bigint | boolean | Uint8Array
      ? Name
      : never;
}[keyof Request & string];

/** One method with its codec, blind to its types. */
export interface MethodCodec {
  /** Name as generated. */
  readonly name: string;
  /** `package.Service.Method` (`spec/node.md` §18). */
  readonly routeKey: string;
  /** The payload class of its requests: what its option asks for; 0 RPC_RELIABLE when it answers with a stream. */
  readonly payloadType: Lane;
  /** The payload class of the stream that it answers with; absent when it answers with one message. */
  readonly streamType?: Lane;
  /** @throws ActrError `decode_failure`. */
  decodeRequest(bytes: Uint8Array): unknown;
  encodeRequest(init: unknown): Uint8Array;
  /** @throws ActrError `decode_failure`. */
  decodeResponse(bytes: Uint8Array): unknown;
  /** For one frame: the bytes are not to be kept. */
  encodeResponse(init: unknown): Uint8Array;
  /** A field of the request whose value can be a key. */
  keyField(name: string): KeyField | undefined;
}

/** The methods of a service that have one request; what streams requests has no form on the wire. */
export function methodCodecs(service: ServiceDescriptor): MethodCodec[] {
  return service.methods.flatMap((method) => {
    const { methodKind } = method;
    if (methodKind !== "unary" && methodKind !== "server_streaming") return [];
    const lane = payloadType(method);
    const latencyFirst = lane === lanes.streamLatencyFirst;
    const streamed = {
      payloadType: lanes.rpcReliable,
      streamType: latencyFirst ? lane : lanes.streamReliable,
    };
    return {
      name: method.localName,
      routeKey: routeKey(method),
      ...(methodKind === "unary" ? { payloadType: lane } : streamed),
      decodeRequest: (bytes) => decode(method.input, bytes),
      encodeRequest: (init) => encode(method.input, init as MessageInitShape<typeof method.input>),
      decodeResponse: (bytes) => decode(method.output, bytes),
      encodeResponse: (init) =>
        encodeForFrame(method.output, init as MessageInitShape<typeof method.output>),
      keyField: (name) => keyField(method.input, name),
    };
  });
}
