import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { setExtension } from "@bufbuild/protobuf";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { canonicalFile } from "../../../src/protocol/fingerprint/canonical_file.ts";
import { compareServices } from "../../../src/protocol/fingerprint/compatibility.ts";
import { describedFile } from "../../../src/protocol/fingerprint/described_file.ts";
import {
  fileFingerprint,
  serviceFingerprint,
} from "../../../src/protocol/fingerprint/fingerprint.ts";
import { protoFileJson } from "../../../src/protocol/fingerprint/proto_file.ts";
import {
  PayloadType,
  payload_type as payloadType,
} from "../../../src/protocol/gen/actr/options_pb.ts";
import vectors from "../../vectors/fingerprints.json" with { type: "json" };

const parsed = (source: string, name = "x.proto") => describedFile(protoFileJson(name, source));
const fingerprint = (source: string) => fileFingerprint(parsed(source));
const proto3 = (text: string) => `syntax="proto3";package p;${text}`;

describe("fingerprints of services", () => {
  for (const kind of [
    "verified_against_recorded_upstream_values",
    "derived_from_algorithm",
  ] as const) {
    for (const { file, proto, canonical_json, semantic, service } of vectors[kind]) {
      it(`[V-fingerprints.${kind}] ${file}`, async () => {
        const found = parsed(proto, file);
        assert.equal(canonicalFile(found), canonical_json);
        assert.equal(await fileFingerprint(found), semantic);
        assert.equal(await serviceFingerprint([{ name: file, fingerprint: semantic }]), service);
      });
    }
  }

  it("[V-fingerprints.multi_file] files together, in the order of their names", async () => {
    const { files, service } = vectors.multi_file;
    const found = await Promise.all(
      files.map(async ({ file, proto, semantic }) => {
        assert.equal(await fingerprint(proto), semantic);
        return { name: file, fingerprint: semantic };
      }),
    );
    assert.equal(await serviceFingerprint(found.reverse()), service);
    await assert.rejects(serviceFingerprint([]), RangeError);
  });

  it("[V-fingerprints.formatting_insensitive] comments and layout do not matter", async () => {
    const { a, b, semantic } = vectors.formatting_insensitive;
    assert.equal(await fingerprint(a), semantic);
    assert.equal(await fingerprint(b), semantic);
  });

  it("are the same from a compiled service and from its source", async () => {
    const source = readFileSync("examples/echo/echo.proto", "utf8");
    assert.equal(
      canonicalFile(EchoService.file.proto),
      canonicalFile(parsed(source, "echo.proto")),
    );
  });

  it("do not tell where a compiler puts the oneofs of optional fields", () => {
    const source = proto3("message M{optional int32 a=1;oneof o{int32 b=2;}}");
    const file = parsed(source);
    const [type] = file.messageType;
    assert.ok(type);
    type.oneofDecl.reverse();
    for (const field of type.field) field.oneofIndex = 1 - field.oneofIndex;
    assert.equal(canonicalFile(file), canonicalFile(parsed(source)));
  });

  it("tell names in inner scopes, groups, maps of messages, ranges and options apart from others", async () => {
    const texts = [
      "message A{}message B{message A{}A a=1;}",
      "message A{}message B{message A{}.p.A a=1;}",
      "message B{map<string,B> a=1;}",
      "message B{map<string,string> a=1;}",
      "message B{reserved 1 to 5;}",
      "message B{reserved 1 to 6;}",
      "enum E{option allow_alias=true;A=0;B=0;}",
      "message B{int32 a=1[deprecated=true];}",
      'message B{int32 a=1[json_name="b"];}',
      "message B{repeated int32 a=1[packed=false];}",
      "message B{}service S{rpc A(B)returns(B){option idempotency_level=IDEMPOTENT;}}",
      "message B{}service S{rpc A(B)returns(B);}",
      'option go_package="x";message B{}',
      "option optimize_for=CODE_SIZE;message B{}",
    ];
    const found = await Promise.all(texts.map((text) => fingerprint(proto3(text))));
    assert.equal(new Set(found).size, texts.length);
    const group =
      'syntax="proto2";message B{repeated group G=8{optional int32 z=1;}extensions 100 to max;}extend B{optional int32 x=100;}';
    assert.match(canonicalFile(parsed(group)), /"type_name": "\.B\.G"[\s\S]*"extendee": "\.B"/);
    assert.match(canonicalFile(parsed(group)), /"end": 536870912/);
  });

  it("do not tell by which lane a method travels, from source or compiled", async () => {
    const method = (more: string) => `message B{}service S{rpc A(B)returns(B){${more}}}`;
    const plain = await fingerprint(proto3(method("")));
    const source = proto3(
      `import "actr/options.proto";${method("option (actr.payload_type)=RPC_SIGNAL;")}`,
    );
    assert.equal(await fingerprint(source), plain);
    const compiled = parsed(proto3(method("option deprecated=true;")));
    const [options] = compiled.service.flatMap(({ method: list }) => list.map((m) => m.options));
    assert.ok(options);
    const before = await fileFingerprint(compiled);
    setExtension(options, payloadType, PayloadType.RPC_SIGNAL);
    compiled.dependency.push("actr/options.proto");
    assert.equal(await fileFingerprint(compiled), before);
    assert.equal(options.$unknown?.length, 1, "the file itself is left as it was");
  });

  it("tell what files of one service mean that use each other's types", async () => {
    const [one, other] = [
      parsed(proto3("message A{int32 a=1;}"), "one.proto"),
      parsed('syntax="proto3";package q;import "one.proto";message B{p.A a=1;}', "other.proto"),
    ];
    await assert.rejects(fileFingerprint(other), { message: /uses \.p\.A of another file/ });
    assert.match(await fileFingerprint(other, [one, other]), /^semantic:/);
    const changes = await compareServices([one, other], [one, other]);
    assert.deepEqual(
      changes.map(({ change }) => change),
      ["same", "same"],
    );
  });

  it("are refused to files that mean nothing by themselves, and to what is no source", async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      [proto3('import "q.proto";message B{q.Q a=1;}'), /uses \.q\.Q of another file/],
      [proto3("message B{google.protobuf.Timestamp a=1;}"), /uses \.google\.protobuf\.Timestamp/],
      [proto3("message B{int32 a=1[(x)=1];}"), /\(x\)/],
      ['edition="2023";message B{}', /edition/],
      ["message {", /no \.proto source/],
    ];
    for (const [source, message] of cases) {
      await assert.rejects(async () => await fingerprint(source), {
        code: "invalid_argument",
        message,
      });
    }
    const imported = proto3(
      'import "google/protobuf/timestamp.proto";message B{google.protobuf.Timestamp a=1;}',
    );
    assert.match(await fingerprint(imported), /^semantic:[0-9a-f]{64}$/);
  });
});
