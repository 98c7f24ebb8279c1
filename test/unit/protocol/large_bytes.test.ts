import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { encodeLarge } from "../../../src/protocol/large_bytes.ts";
import {
  AIdCredentialSchema,
  create,
  decode,
  encode,
  RealmSchema,
  RegisterRequestSchema,
} from "../../../src/protocol/schema.ts";
import { ProbeService } from "../../fixtures/probe_pb.ts";

const signature = new Uint8Array(64).fill(7);
const large = (length: number): Uint8Array => new Uint8Array(length).map((_, at) => at * 31);

describe("messages with a large field of bytes", () => {
  it("mean what the library makes of them, whatever their size", () => {
    for (const length of [0, 16_383, 16_384, 65_536, 300_000]) {
      const claims = large(length);
      const credential = create(AIdCredentialSchema, { keyId: 3, claims, signature });
      const bytes = encode(AIdCredentialSchema, credential);
      assert.deepEqual(decode(AIdCredentialSchema, bytes), credential);
      assert.ok(bytes.length <= toBinary(AIdCredentialSchema, credential).length + 2);
      assert.equal(credential.claims, claims, "the message that was given stays as it was");
      const { input } = ProbeService.method.echo;
      const data = large(length);
      assert.deepEqual(decode(input, encode(input, { data })), create(input, { data }));
    }
  });

  it("take a buffer of just their size, and those without one none of their own", () => {
    const { input } = ProbeService.method.echo;
    const bytes = encodeLarge(input, create(input, { data: large(20_000) }));
    assert.ok(bytes !== undefined);
    assert.equal(bytes.buffer.byteLength, bytes.length);
    assert.equal(encodeLarge(input, create(input, { data: large(16_383) })), undefined);
    const realm = create(RealmSchema, { realmId: 7 });
    assert.equal(encodeLarge(RealmSchema, realm), undefined);
  });

  it("keep every other field, several large ones and unknown ones among them", () => {
    const request = create(RegisterRequestSchema, {
      actrType: { manufacturer: "acme", name: "Echo", version: "1.0.0" },
      realm: { realmId: 7 },
      manifestRaw: large(40_000),
      mfrSignature: large(50_000),
    });
    request.$unknown = [{ no: 999, wireType: 0, data: Uint8Array.of(5) }];
    const again = decode(RegisterRequestSchema, encode(RegisterRequestSchema, request));
    assert.deepEqual(again, request);
  });

  it("are refused without a required field all the same", () => {
    const claims = large(20_000);
    assert.throws(() => encode(AIdCredentialSchema, { keyId: 3, claims }), {
      code: "invalid_argument",
      message: /signature/,
    });
  });
});
