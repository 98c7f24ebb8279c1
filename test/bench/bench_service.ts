import { create, createFileRegistry } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  type BytesValueSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { systemRandom } from "../../adapters/system_random.ts";
import {
  defineNode,
  type Hooks,
  type NodeDefinition,
  type NodeOptionsInput,
  service,
} from "../../src/mod.ts";
import { durableMetadata } from "../../src/protocol/durable.ts";
import { directions, encodeEnvelope } from "../../src/protocol/envelope.ts";

const wrappers = file_google_protobuf_wrappers.proto;
const bytesValue = ".google.protobuf.BytesValue";
const file = create(FileDescriptorProtoSchema, {
  name: "bench.proto",
  package: "bench",
  syntax: "proto3",
  dependency: [wrappers.name],
  service: [
    {
      name: "BenchService",
      method: [{ name: "Echo", inputType: bytesValue, outputType: bytesValue }],
    },
  ],
});
const registry = createFileRegistry(file, (name) =>
  name === wrappers.name ? wrappers : undefined,
);

/** Bytes there and back, as a generated file would describe it. */
export const BenchService = registry.getService("bench.BenchService") as GenService<{
  echo: { methodKind: "unary"; input: typeof BytesValueSchema; output: typeof BytesValueSchema };
}>;

/** Route of {@link BenchService}'s method. */
export const echoRoute = "bench.BenchService.Echo";

/** Type of {@link benchNode}. */
export const benchType = "bench:Echo:1.0.0";

const echo = service(BenchService, { handlers: { echo: ({ value }) => ({ value }) } });

/** Stream of {@link benchNode} that nobody keeps anything of. */
export const benchStream = "bench";

const hooks: Hooks = { onStart: ({ streams }) => streams.register(benchStream, () => {}) };

/** The node under test: one echo service, and a stream. */
export function benchNode(options: NodeOptionsInput = {}): NodeDefinition {
  return defineNode({ type: benchType, services: [echo], hooks, options });
}

const random = systemRandom();

/** An encoded durable send of `payload` to {@link echoRoute}, with an id of its own. */
export function durableRequest(payload: Uint8Array): Uint8Array {
  return encodeEnvelope({
    routeKey: echoRoute,
    payload,
    direction: directions.request,
    requestId: random.uuid(),
    metadata: durableMetadata,
    timeoutMs: 30_000,
  });
}

/** An encoded request of {@link BenchService} with `bytes` bytes of content. */
export function echoBody(bytes: number): Uint8Array {
  const length: number[] = [];
  for (let rest = bytes; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Uint8Array.from([0x0a, ...length, ...new Uint8Array(bytes).fill(0x78)]);
}
