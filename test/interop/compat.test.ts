import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { delay } from "#async";
import { until } from "../fixtures/until.ts";
import { whyMissing } from "../fixtures/webrtc_stacks.ts";
import { writeEnvelope } from "./peer/rpc.ts";
import { lanes } from "./peer/wire.ts";
import {
  assertSound,
  bytesMessage,
  echoed,
  equal,
  noise,
  roles,
  routes,
  Subject,
  startPeer,
} from "./subject.ts";

const missing = await whyMissing("wrtc");

/** What an answer of 0.3 says in place of a time. */
const timeoutMs = 30_000;

describe("a node with compat 0.3 and a peer of 0.3.1", {
  timeout: 60_000,
  skip: missing ?? false,
}, () => {
  let subject: Subject;
  before(async () => {
    subject = await Subject.start({}, { session: { compat: "0.3" } });
  });
  after(() => subject?.[Symbol.asyncDispose]());

  for (const role of roles) {
    it(`connect without exchange ids, the peer as ${role}, and call each other without directions`, async () => {
      await using peer = await startPeer(subject, role, { ancient: true });
      const { calls } = peer;
      const session = await peer.connect(subject.id);
      calls.handler = (arrival) => calls.reply(arrival, { direction: undefined, timeoutMs });
      assert.ok(equal(await subject.call(peer.id, noise(70_000)), noise(70_000)));

      const requestId = randomUUID();
      const answered = calls.expect(requestId);
      const request = { routeKey: routes.echo, payload: bytesMessage(noise(9)), requestId };
      await session.send(lanes.rpcReliable, writeEnvelope({ ...request, timeoutMs }));
      assert.ok(equal(echoed((await answered).envelope.payload), noise(9)));

      const before = subject.handled;
      const tell = { ...request, requestId: randomUUID(), timeoutMs: 0 };
      await session.send(lanes.rpcReliable, writeEnvelope(tell));
      await until("the tell is handled", () => subject.handled === before + 1, 10_000);
      await delay(200);
      assert.equal(calls.orphans.size, 0);
      assertSound(subject, peer);
    });
  }
});
