import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError, type ActrId } from "@roost/edge";
import { TestNode, TestWorld } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { echoNode } from "./support.ts";

const limit = { timeout: 60_000 };

/** Three nodes in a row: the first is called, each calls the next, the last throws what `fail` gives. */
async function chain(world: TestWorld, fail: (text: string) => ActrError) {
  const last = await TestNode.start(
    world,
    echoNode(
      (text) => {
        throw fail(text);
      },
      { type: "acme:Last:1.0.0" },
    ),
  );
  const forward = (to: ActrId, type: string) =>
    TestNode.start(
      world,
      echoNode(
        async (message, context) =>
          (await context.service(EchoService, to).echo({ message }, { timeoutMs: 3_000 })).reply,
        { type },
      ),
    );
  const middle = await forward(last.id, "acme:Middle:1.0.0");
  const first = await forward(middle.id, "acme:First:1.0.0");
  const call = (message: string): Promise<ActrError> =>
    first
      .service(EchoService)
      .echo({ message }, { timeoutMs: 5_000 })
      .then(
        () => assert.fail("it was answered"),
        (error: ActrError) => error,
      );
  return { call };
}

describe("an error on its way through nodes", () => {
  it(
    "[ND-17] [ND-19] keeps its code and its text: no prefix is added on the way",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const codes = [
        "not_found",
        "permission_denied",
        "invalid_argument",
        "unknown_route",
      ] as const;
      const { call } = await chain(
        world,
        (text) => new ActrError(text as (typeof codes)[number], `about ${text}`),
      );
      for (const code of codes) {
        const error = await call(code);
        assert.deepEqual([error.code, error.message], [code, `about ${code}`]);
      }
    },
  );

  it("[ND-19] keeps the name of a missing dependency, and a hint, as values", limit, async () => {
    await using world = await TestWorld.open();
    const { call } = await chain(world, (text) =>
      text === "hint"
        ? new ActrError("not_found", "still being written", { retryAfterMs: 250 })
        : new ActrError("dependency_not_found", "no lock entry", { details: { service: "db" } }),
    );
    const missing = await call("dependency");
    assert.equal(missing.code, "dependency_not_found");
    assert.equal(missing.details?.["service"], "db");
    assert.equal(missing.message, "no lock entry");
    const hinted = await call("hint");
    assert.deepEqual(
      [hinted.code, hinted.message, hinted.retryAfterMs],
      ["not_found", "still being written", 250],
    );
  });
});
