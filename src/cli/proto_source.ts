import { existsSync } from "node:fs";
import protobuf from "protobufjs";
import protojson from "protobufjs/ext/protojson.js";
import { ActrError } from "../errors.ts";
import type { JsonMethod } from "../protocol/descriptors.ts";
import { serviceOfRoute } from "../protocol/descriptors.ts";
import { lanes } from "../protocol/frame.ts";
import type { JsonValue } from "../protocol/schema.ts";
import { oneLine } from "./failure.ts";
import { Misuse } from "./misuse.ts";

/** The method `package.Service.Method` of a `.proto` source, whose imports are read beside it. @throws Misuse, ActrError `not_found`. */
export async function protoMethod(file: string, routeKey: string): Promise<JsonMethod> {
  const method = findMethod(await readProto(file), routeKey);
  const { resolvedRequestType: input, resolvedResponseType: output } = method;
  if (input === null || output === null) throw new TypeError(`${routeKey} was not resolved`);
  return {
    lane: lanes.rpcReliable,
    encodeRequest: (json) => encode(input, json),
    decodeResponse: (bytes) => decode(output, bytes),
  };
}

async function readProto(file: string): Promise<protobuf.Root> {
  if (!existsSync(file)) throw new Misuse(`--proto is ${file}, but there is no such file`);
  try {
    const root = await new protobuf.Root().load(file);
    root.resolveAll();
    return root;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Misuse(`--proto is ${file}, which cannot be read: ${oneLine(reason)}`);
  }
}

function findMethod(root: protobuf.Root, routeKey: string): protobuf.Method {
  const service = root.lookup(serviceOfRoute(routeKey), protobuf.Service);
  if (!(service instanceof protobuf.Service)) {
    throw new ActrError("not_found", `the schema has no service ${serviceOfRoute(routeKey)}`);
  }
  const name = routeKey.slice(routeKey.lastIndexOf(".") + 1);
  const method = service.methods[name];
  if (method !== undefined && !method.requestStream && !method.responseStream) {
    return method.resolve() as protobuf.Method;
  }
  const known = Object.keys(service.methods).join(", ");
  throw new ActrError("not_found", `the service has no unary method ${name}; it has ${known}`);
}

function encode(type: protobuf.Type, json: JsonValue): Uint8Array {
  try {
    return type.encode(protojson.fromJson(type, json)).finish();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ActrError("invalid_argument", `the JSON is no ${type.name}: ${reason}`, { cause });
  }
}

function decode(type: protobuf.Type, bytes: Uint8Array): JsonValue {
  try {
    return protojson.toJson(type, type.decode(bytes)) as JsonValue;
  } catch (cause) {
    throw new ActrError("decode_failure", `${bytes.length} bytes are no ${type.name}`, { cause });
  }
}
