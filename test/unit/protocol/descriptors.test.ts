import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { ActrError, type ErrorCode } from "../../../src/errors.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import {
  decodeDescribeRequest,
  describeService,
  encodeDescribeRequest,
  jsonMethod,
  serviceOfRoute,
} from "../../../src/protocol/descriptors.ts";

const echo = "echo.EchoService.Echo";

function coded(code: ErrorCode, message: RegExp): (error: unknown) => boolean {
  return (error) => ActrError.is(error) && error.code === code && message.test(error.message);
}

describe("descriptors of a service", () => {
  it("cross the wire and serve callers who speak JSON", () => {
    const method = jsonMethod(describeService(EchoService), echo);
    // Field 1, delimited, "hi": echo.proto read by hand.
    assert.deepEqual([...method.encodeRequest({ message: "hi" })], [0x0a, 2, 0x68, 0x69]);
    assert.deepEqual(method.decodeResponse(new Uint8Array([0x0a, 2, 0x68, 0x69])), { reply: "hi" });
    assert.equal(method.lane, 0);
  });

  it("refuse JSON that does not fit, naming the field", () => {
    const method = jsonMethod(describeService(EchoService), echo);
    assert.throws(
      () => method.encodeRequest({ mesage: "hi" }),
      coded("invalid_argument", /mesage/),
    );
    assert.throws(() => method.encodeRequest({ message: 3 }), coded("invalid_argument", /message/));
    assert.throws(() => method.decodeResponse(utf8("\n")), coded("decode_failure", /EchoResponse/));
  });

  it("name what a schema has when the method is not there", () => {
    const set = describeService(EchoService);
    assert.throws(() => jsonMethod(set, "echo.EchoService.Eco"), coded("not_found", /has Echo/));
    assert.throws(() => jsonMethod(set, "echo.Other.Echo"), coded("not_found", /echo\.Other/));
    assert.throws(() => jsonMethod(utf8("\n"), echo), coded("decode_failure", /1 bytes/));
  });

  it("are asked for by full name", () => {
    assert.equal(
      decodeDescribeRequest(encodeDescribeRequest("echo.EchoService")),
      "echo.EchoService",
    );
    assert.equal(serviceOfRoute(echo), "echo.EchoService");
    for (const route of ["Echo", ".Echo", "echo.EchoService."]) {
      assert.throws(
        () => serviceOfRoute(route),
        coded("invalid_argument", /package\.Service\.Method/),
      );
    }
  });
});
