import type { DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Lane } from "./frame.ts";
import { type KeyField, keyField } from "./key_field.ts";
import { decode, encode, payloadType, routeKey, type ServiceDescriptor } from "./schema.ts";

export type { ServiceDescriptor } from "./schema.ts";

/** Names of a service's unary methods, as generated (lower camel case). */
export type UnaryMethod<S extends ServiceDescriptor> = {
  [Name in keyof S["method"]]: S["method"][Name] extends DescMethodUnary ? Name : never;
}[keyof S["method"]] &
  string;

type MethodOf<S extends ServiceDescriptor, Name extends UnaryMethod<S>> =
  S["method"][Name] extends DescMethodUnary<infer Input, infer Output>
    ? { readonly input: Input; readonly output: Output }
    : never;

/** What a handler of a method receives. */
export type RequestOf<S extends ServiceDescriptor, Name extends UnaryMethod<S>> = MessageShape<
  MethodOf<S, Name>["input"]
>;

/** What a caller of a method may pass: every field optional. */
export type RequestInitOf<
  S extends ServiceDescriptor,
  Name extends UnaryMethod<S>,
> = MessageInitShape<MethodOf<S, Name>["input"]>;

/** What a call of a method resolves with. */
export type ResponseOf<S extends ServiceDescriptor, Name extends UnaryMethod<S>> = MessageShape<
  MethodOf<S, Name>["output"]
>;

/** What a handler of a method may return: every field optional. */
export type ResponseInitOf<
  S extends ServiceDescriptor,
  Name extends UnaryMethod<S>,
> = MessageInitShape<MethodOf<S, Name>["output"]>;

/** Names of a request's fields whose value can be a key: numbers, bools, enums, strings and bytes. */
export type KeyFieldOf<Request> = {
  [Name in keyof Request & string]-?: Name extends `$${string}`
    ? never
    : NonNullable<Request[Name]> extends string | number | bigint | boolean | Uint8Array
      ? Name
      : never;
}[keyof Request & string];

/** One unary method with its codec, blind to its types. */
export interface MethodCodec {
  /** Name as generated. */
  readonly name: string;
  /** `package.Service.Method` (`spec/node.md` §18). */
  readonly routeKey: string;
  /** The payload class that the method's option asks for. */
  readonly payloadType: Lane;
  /** @throws ActrError `decode_failure`. */
  decodeRequest(bytes: Uint8Array): unknown;
  encodeRequest(init: unknown): Uint8Array;
  /** @throws ActrError `decode_failure`. */
  decodeResponse(bytes: Uint8Array): unknown;
  encodeResponse(init: unknown): Uint8Array;
  /** A field of the request whose value can be a key. */
  keyField(name: string): KeyField | undefined;
}

/** The unary methods of a service; streaming ones are carried by data streams, not by calls. */
export function methodCodecs(service: ServiceDescriptor): MethodCodec[] {
  return service.methods
    .filter((method) => method.methodKind === "unary")
    .map((method) => ({
      name: method.localName,
      routeKey: routeKey(method),
      payloadType: payloadType(method),
      decodeRequest: (bytes) => decode(method.input, bytes),
      encodeRequest: (init) => encode(method.input, init as MessageInitShape<typeof method.input>),
      decodeResponse: (bytes) => decode(method.output, bytes),
      encodeResponse: (init) =>
        encode(method.output, init as MessageInitShape<typeof method.output>),
      keyField: (name) => keyField(method.input, name),
    }));
}
