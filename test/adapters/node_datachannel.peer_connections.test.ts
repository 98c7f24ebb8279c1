import assert from "node:assert/strict";
import { it } from "node:test";
import { delay } from "#async";
import { End } from "../conformance/connection_pair.ts";
import { peerConnectionsConformance } from "../conformance/peer_connections.ts";
import { webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

// The package is optional.
const skip = await whyMissing("node-datachannel");
if (skip === undefined) {
  peerConnectionsConformance("node-datachannel", webrtcStacks["node-datachannel"]);
} else it("peer connections: node-datachannel", { skip }, () => {});

it("a peer learns where an offerer is when its answer, and the fingerprint in it, has been taken", {
  timeout: 60_000,
  skip: skip ?? false,
}, async () => {
  const stack = await webrtcStacks["node-datachannel"]();
  const [a, b] = [new End(stack, {}), new End(stack, {})];
  a.createChannel("lane");
  const offer = await a.connection.createOffer();
  assert.doesNotMatch(offer.sdp, /^a=candidate/m);
  // Gathering takes a millisecond or two.
  await delay(100);
  assert.equal(a.candidates.length, 0);
  await b.connection.setRemote(offer);
  await a.connection.setRemote(await b.connection.createAnswer());
  await a.until(() => a.candidates.length > 0);
  for (const end of [a, b]) end.connection.close();
});
