import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFileRegistry, setExtension } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { lanes } from "../../../src/protocol/frame.ts";
import { payload_type } from "../../../src/protocol/gen/actr/options_pb.ts";
import {
  create,
  decode,
  encode,
  isFieldSet,
  type MethodDescriptor,
  messageFromJson,
  messageToJson,
  payloadType,
  RealmSchema,
  routeKey,
} from "../../../src/protocol/schema.ts";
import { hex, refusal } from "./support.ts";

/** A service with one method whose payload type is `option`, as a generator would describe it. */
function method(option: number | undefined): MethodDescriptor {
  const options = create(MethodOptionsSchema);
  if (option !== undefined) setExtension(options, payload_type, option as 0);
  const file = create(FileDescriptorProtoSchema, {
    name: "t.proto",
    package: "demo.v1",
    messageType: [{ name: "M" }],
    service: [
      {
        name: "S",
        method: [{ name: "Do", inputType: ".demo.v1.M", outputType: ".demo.v1.M", options }],
      },
    ],
  });
  const service = createFileRegistry(file, () => undefined).getService("demo.v1.S");
  const [found] = service?.methods ?? [];
  assert.ok(found !== undefined);
  return found;
}

describe("schema", () => {
  it("names a method package.Service.Method", () => {
    assert.equal(routeKey(method(undefined)), "demo.v1.S.Do");
  });

  it("reads the payload type of a method", () => {
    assert.equal(payloadType(method(undefined)), lanes.rpcReliable);
    for (const lane of Object.values(lanes)) assert.equal(payloadType(method(lane)), lane);
  });

  it("turns the failures of the library into ActrErrors", () => {
    refusal("invalid_argument", () => encode(RealmSchema, {}));
    refusal("invalid_argument", () => encode(RealmSchema, { realmId: -1 }));
    refusal("decode_failure", () => decode(RealmSchema, hex("08")));
    refusal("invalid_argument", () => messageFromJson(RealmSchema, { realmId: "x" }));
    refusal("invalid_argument", () => messageFromJson(RealmSchema, { other: 1 }));
  });

  it("reads and writes JSON", () => {
    const realm = create(RealmSchema, { realmId: 7 });
    assert.deepEqual(messageToJson(RealmSchema, realm), { realmId: 7 });
    assert.equal(messageFromJson(RealmSchema, { realmId: 7 }).realmId, 7);
  });

  it("tells a field that was missing from one that was zero", () => {
    const field = RealmSchema.field.realmId;
    assert.ok(!isFieldSet(decode(RealmSchema, hex("")), field));
    assert.ok(isFieldSet(decode(RealmSchema, hex("0800")), field));
  });
});
