import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { app } from "../../../examples/echo/app.ts";
import { reflectionRoute, withReflection } from "../../../src/node/reflection.ts";
import {
  describeRoute,
  encodeDescribeRequest,
  jsonMethod,
} from "../../../src/protocol/descriptors.ts";

describe("reflection", () => {
  it("describes the services of the node and names them when asked for another", async () => {
    const route = reflectionRoute(app.services);
    const set = await route.handle(encodeDescribeRequest("echo.EchoService"));
    assert.equal(jsonMethod(set, "echo.EchoService.Echo").lane, 0);
    assert.throws(() => route.handle(encodeDescribeRequest("a.B")), {
      code: "not_found",
      message: /echo\.EchoService/,
    });
  });

  it("is there only where something is served", () => {
    assert.deepEqual([...withReflection(new Map(), app.services).keys()], [describeRoute]);
    assert.deepEqual([...withReflection(new Map(), []).keys()], []);
  });
});
