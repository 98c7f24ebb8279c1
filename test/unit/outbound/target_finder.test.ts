import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { type FindingContext, TargetFinder } from "../../../src/outbound/target_finder.ts";
import { noRoute } from "../../../src/session/dialer.ts";
import { peerId } from "../session/support.ts";

const details = { reason: noRoute };

/** How often something is sent for two calls to a type, when each sending fails with `error`. */
async function sendsOfTwoCalls(error: ActrError): Promise<number> {
  let sends = 0;
  const context = {
    discover: async () => [peerId(7)],
    call: async () => {
      sends += 1;
      throw error;
    },
  };
  const sender = new TargetFinder().sender(context as unknown as FindingContext, "acme:A:1.0.0");
  for (const _ of [1, 2]) await assert.rejects(sender.call("a.B.C", new Uint8Array()), error);
  return sends;
}

describe("target finder", () => {
  it("asks no other node in place of one that has answered, whatever that says", async () => {
    const answer = new ActrError("not_found", "no bus goes there", { details });
    assert.equal(await sendsOfTwoCalls(answer), 2);
  });
});
