import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalFile } from "../../../src/protocol/fingerprint/canonical_file.ts";
import { describedFile } from "../../../src/protocol/fingerprint/described_file.ts";
import { fileFingerprint } from "../../../src/protocol/fingerprint/fingerprint.ts";
import { withoutOwnOptions } from "../../../src/protocol/fingerprint/own_options.ts";
import { protoFileJson } from "../../../src/protocol/fingerprint/proto_file.ts";
import { sourceText } from "../../../src/protocol/fingerprint/source_text.ts";
import { KeyService } from "../../fixtures/keys_pb.ts";
import { LedgerService } from "../../fixtures/ledger_pb.ts";
import { ProbeService } from "../../fixtures/probe_pb.ts";
import vectors from "../../vectors/fingerprints.json" with { type: "json" };

const parsed = (source: string) => describedFile(protoFileJson("x.proto", source));

/** Everything that a file may say and a fingerprint shows. */
const proto3 = `syntax = "proto3";
import "google/protobuf/timestamp.proto";
package a.b;
option go_package = "x/\\"y";
option optimize_for = SPEED;
option java_multiple_files = true;
enum E { option allow_alias = true; A = 0; B = 0; C = 5 [deprecated = true]; reserved 7, 9 to 11; reserved "Z"; }
message M {
  option deprecated = true;
  message Inner { E e = 1; message Deep { M m = 1; } }
  enum F { G = 0; }
  optional int32 a_b = 1;
  repeated sint64 many = 2 [packed = false];
  map<string, .a.b.M.Inner> counts = 3;
  map<int32, bytes> more = 12;
  oneof choice { string x = 4; Inner y = 5 [deprecated = true]; }
  oneof other { bool z = 6; }
  google.protobuf.Timestamp at = 7;
  fixed64 big = 8 [jstype = JS_STRING, json_name = "BIG"];
  Inner.Deep deep = 9;
  CountsEntry own = 13;
  reserved 20 to 29, 40, 1000 to max;
  reserved "gone", "lost";
}
message CountsEntry {}
message Empty {}
service S {
  option deprecated = true;
  rpc Do(M) returns (.a.b.Empty);
  rpc Flow(stream M) returns (stream M) { option idempotency_level = NO_SIDE_EFFECTS; }
}`;

const proto2 = `syntax = "proto2";
message B {
  required string name = 1 [default = "a\\"b"];
  optional bytes raw = 2 [default = "abc"];
  optional E e = 3 [default = TWO];
  repeated group Pair = 4 { optional int32 left = 1; required int32 right = 2; }
  optional double d = 5 [default = -1.5];
  extensions 100 to 199, 500 to max;
  extend B { optional int32 nested = 101; }
}
enum E { ONE = 1; TWO = 2; }
extend B { optional int32 x = 100; repeated string y = 102 [deprecated = true]; }`;

describe("source of described files", () => {
  it("means the same as what it was made from", () => {
    const { verified_against_recorded_upstream_values: verified, derived_from_algorithm: derived } =
      vectors;
    const sources = [proto3, proto2, "", 'syntax="proto3";message A{}'];
    for (const source of [...sources, ...[...verified, ...derived].map(({ proto }) => proto)]) {
      const file = parsed(source);
      assert.equal(canonicalFile(parsed(sourceText(file))), canonicalFile(file), source);
    }
  });

  it("means the same as what a compiler read, and reads itself the same", async () => {
    for (const { file } of [KeyService, LedgerService, ProbeService]) {
      const text = sourceText(withoutOwnOptions(file.proto));
      assert.equal(await fileFingerprint(parsed(text)), await fileFingerprint(file.proto));
      assert.equal(sourceText(parsed(text)), text);
    }
  });

  it("reads like something a person would write", () => {
    const source = `syntax = "proto3";

package p;

message A {
  optional int32 a = 1;
  oneof b {
    string c = 2;
  }
  map<string, bytes> d = 3;
}

service S {
  rpc Do(.p.A) returns (stream .p.A);
}
`;
    assert.equal(sourceText(parsed(source)), source);
  });
});
