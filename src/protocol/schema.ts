import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  fromJson,
  getOption,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { ActrError } from "../errors.ts";
import { isLane, type Lane, lanes } from "./frame.ts";
import { payload_type as payloadTypeOption } from "./gen/actr/options_pb.ts";
import { encodeLarge, encodeLargeForFrame } from "./large_bytes.ts";

export type {
  DescMessage as MessageDescriptor,
  DescMethod as MethodDescriptor,
  DescService as ServiceDescriptor,
  JsonValue,
  Message,
  MessageInitShape as MessageInit,
  MessageShape as MessageOf,
} from "@bufbuild/protobuf";
export { create, isFieldSet } from "@bufbuild/protobuf";
export type {
  GenMessage as MessageSchema,
  GenService as ServiceSchema,
  GenServiceMethods as ServiceMethods,
} from "@bufbuild/protobuf/codegenv2";
export * from "./gen/actr_pb.ts";
export * from "./gen/signaling_pb.ts";
export * from "./gen/webrtc_pb.ts";

/** Bytes of a message, given as one or as its fields. @throws ActrError `invalid_argument` when a required field is missing or a value does not fit. */
export function encode<D extends DescMessage>(
  schema: D,
  message: MessageInitShape<D>,
): Uint8Array<ArrayBuffer> {
  return encodeBy(encodeLarge, schema, message);
}

/** The same for bytes that become one frame and are seen by nobody else: their buffer is used again once that was sent. */
export function encodeForFrame<D extends DescMessage>(
  schema: D,
  message: MessageInitShape<D>,
): Uint8Array<ArrayBuffer> {
  return encodeBy(encodeLargeForFrame, schema, message);
}

function encodeBy<D extends DescMessage>(
  large: typeof encodeLarge,
  schema: D,
  message: MessageInitShape<D>,
): Uint8Array<ArrayBuffer> {
  try {
    const whole = create(schema, message);
    return large(schema, whole) ?? toBinary(schema, whole);
  } catch (cause) {
    throw refused("invalid_argument", "encode", schema, cause);
  }
}

/** The message in `bytes`. Required fields may be missing: ask `isFieldSet` where it matters. @throws ActrError `decode_failure`. */
export function decode<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw refused("decode_failure", "decode", schema, cause);
  }
}

/** A message as JSON (ProtoJSON). @throws ActrError `invalid_argument`. */
export function messageToJson<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
): JsonValue {
  try {
    return toJson(schema, message);
  } catch (cause) {
    throw refused("invalid_argument", "write as JSON", schema, cause);
  }
}

/** The message in ProtoJSON. @throws ActrError `invalid_argument` for an unknown field or a value that does not fit. */
export function messageFromJson<D extends DescMessage>(
  schema: D,
  json: JsonValue,
): MessageShape<D> {
  try {
    return fromJson(schema, json);
  } catch (cause) {
    throw refused("invalid_argument", "read from JSON", schema, cause);
  }
}

function refused(
  code: "invalid_argument" | "decode_failure",
  action: string,
  schema: DescMessage,
  cause: unknown,
): ActrError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ActrError(code, `cannot ${action} ${schema.typeName}: ${reason}`, { cause });
}

/** The lane that a method asks for with `option (actr.payload_type)`; RPC_RELIABLE when it does not (`spec/transport.md` §2). */
export function payloadType(method: DescMethod): Lane {
  const value: number = getOption(method, payloadTypeOption);
  return isLane(value) ? value : lanes.rpcReliable;
}

/** Name of a method on the wire: `package.Service.Method`. */
export function routeKey(method: DescMethod): string {
  return `${method.parent.typeName}.${method.name}`;
}
