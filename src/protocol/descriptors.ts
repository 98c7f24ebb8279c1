import {
  create,
  createFileRegistry,
  type DescFile,
  type DescMethod,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { ActrError } from "../errors.ts";
import type { Lane } from "./frame.ts";
import {
  decode,
  encode,
  type JsonValue,
  messageFromJson,
  messageToJson,
  payloadType,
} from "./schema.ts";
import type { ServiceDescriptor } from "./service.ts";

/** Route by which a Roost node tells the schema of a service that it serves. Other Actr peers answer `unknown_route`. */
export const describeRoute = "roost.Reflection.Describe";

/** Asks for one service: `google.protobuf.StringValue` with its full name. */
export function encodeDescribeRequest(service: string): Uint8Array {
  return encode(StringValueSchema, { value: service });
}

/** The full name of the service asked for. @throws ActrError `decode_failure`. */
export function decodeDescribeRequest(bytes: Uint8Array): string {
  return decode(StringValueSchema, bytes).value;
}

/** The service's file and all that it imports, each after its own imports, as an encoded `google.protobuf.FileDescriptorSet`. */
export function describeService({ file }: ServiceDescriptor): Uint8Array {
  const files = new Set<DescFile>();
  addWithImports(file, files);
  const set = create(FileDescriptorSetSchema, { file: [...files].map((each) => each.proto) });
  return toBinary(FileDescriptorSetSchema, set);
}

function addWithImports(file: DescFile, files: Set<DescFile>): void {
  if (files.has(file)) return;
  for (const imported of file.dependencies) addWithImports(imported, files);
  files.add(file);
}

/** One method for callers who speak JSON. */
export interface JsonMethod {
  /** The lane that the method asks for. */
  readonly lane: Lane;
  /** @throws ActrError `invalid_argument` for an unknown field or a value that does not fit. */
  encodeRequest(json: JsonValue): Uint8Array;
  /** @throws ActrError `decode_failure`. */
  decodeResponse(bytes: Uint8Array): JsonValue;
}

/**
 * The method `package.Service.Method` as an encoded FileDescriptorSet describes it.
 * @throws ActrError `decode_failure` when the bytes are none, `not_found` without such a unary method.
 */
export function jsonMethod(descriptorSet: Uint8Array, routeKey: string): JsonMethod {
  const method = findMethod(descriptorSet, routeKey);
  return {
    lane: payloadType(method),
    encodeRequest: (json) => encode(method.input, messageFromJson(method.input, json)),
    decodeResponse: (bytes) => messageToJson(method.output, decode(method.output, bytes)),
  };
}

/** `package.Service` of `package.Service.Method`. @throws ActrError `invalid_argument` for a text without a method. */
export function serviceOfRoute(routeKey: string): string {
  const dot = routeKey.lastIndexOf(".");
  if (dot > 0 && dot < routeKey.length - 1) return routeKey.slice(0, dot);
  throw new ActrError(
    "invalid_argument",
    `route ${routeKey} names no method; write package.Service.Method`,
  );
}

function findMethod(descriptorSet: Uint8Array, routeKey: string): DescMethod {
  const service = readRegistry(descriptorSet).getService(serviceOfRoute(routeKey));
  const name = routeKey.slice(routeKey.lastIndexOf(".") + 1);
  const method = service?.methods.find((each) => each.name === name);
  if (method?.methodKind === "unary") return method;
  const known = service?.methods.map((each) => each.name).join(", ");
  throw new ActrError(
    "not_found",
    service === undefined
      ? `the schema has no service ${serviceOfRoute(routeKey)}`
      : `${service.typeName} has no unary method ${name}; it has ${known}`,
  );
}

function readRegistry(descriptorSet: Uint8Array): ReturnType<typeof createFileRegistry> {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
  } catch (cause) {
    throw new ActrError(
      "decode_failure",
      `${descriptorSet.length} bytes are no FileDescriptorSet`,
      {
        cause,
      },
    );
  }
}
