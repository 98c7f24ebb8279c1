import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testNode } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { echoNode, gate } from "./support.ts";

const limit = { timeout: 60_000 };
const minute = 60_000;

/** What comments of the original say wrongly, of times and of what comes back, is asserted here instead. */
describe("what is written of a node's times", () => {
  it("[ND-53] an answer is remembered for 30 s, not 15, and no longer", limit, async () => {
    let runs = 0;
    await using t = await testNode(echoNode(() => String(++runs)));
    const echo = t.service(EchoService);
    const requestId = "11111111-1111-4111-8111-111111111111";
    const ask = async () => (await echo.echo({}, { requestId })).reply;
    assert.equal(await ask(), "1");
    await t.clock.advance(29_000);
    assert.equal(await ask(), "1");
    await t.clock.advance(2_000);
    assert.equal(await ask(), "2");
  });

  it(
    "[ND-53] a timer renews the credential, before the server has warned of its end",
    limit,
    async () => {
      const rendezvous = { credentialTtlMs: 10 * minute, renewalTtlMs: 20 * minute };
      let renewals = 0;
      const hooks = { onCredentialRenewed: () => void renewals++ };
      await using t = await testNode(echoNode(undefined, { hooks }), { rendezvous });
      const { id } = t;
      // The server warns in the last third of a credential's life.
      await t.clock.advance(6 * minute + 39_000);
      assert.equal(renewals, 1);
      assert.deepEqual(t.id, id, "it is the same node still");
    },
  );

  it("[ND-53] a message that its process died with is handed out again", limit, async () => {
    const door = gate();
    const begun: string[] = [];
    const node = echoNode(
      async (text) => {
        begun.push(text);
        if (begun.length === 1) await door.promise;
        return text;
      },
      { durable: true },
    );
    await using t = await testNode(node);
    await t.service(EchoService).echo.tell({ message: "x" }, { durable: true });
    await t.clock.settle();
    assert.deepEqual(begun, ["x"]);
    await t.restart({ crash: true });
    await t.clock.settle();
    assert.deepEqual(begun, ["x", "x"]);
    door.open();
  });
});
