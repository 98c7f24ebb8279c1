import assert from "node:assert/strict";
import process from "node:process";
import { it } from "node:test";
import type {
  Description,
  IceCandidate,
  PeerConnectionState,
} from "../../src/ports/peer_connections.ts";
import { End } from "../conformance/connection_pair.ts";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { stackNames, webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

/** node-datachannel takes half a minute, so it is asked only on demand. */
const inHaste = process.env["ROOST_SLOW_TESTS"] === undefined;

/** What may stand for a peer that is gone; that `disconnected` ends as `failed` is tested by a clock of its own. */
const lost = new Set<PeerConnectionState>(["disconnected", "failed", "closed"]);

for (const name of stackNames) {
  const tooSlow =
    inHaste && name === "node-datachannel" && "takes half a minute; ROOST_SLOW_TESTS=1";
  const skip = (await whyMissing(name)) ?? tooSlow;
  it(`a killed peer is told by the state: ${name}`, { skip, timeout: 60_000 }, async (t) => {
    const stack = await webrtcStacks[name]();
    await using peer = new Program(thisRuntime, "test/fixtures/webrtc_program.ts", [
      name,
      "answer",
    ]);
    const end = new End(stack, {});
    // One left open keeps the process alive.
    t.after(() => end.connection.close());
    await connect(end, peer);
    await peer.kill();
    const killedAt = performance.now();
    await end.until(() => end.states.some((state) => lost.has(state)));
    const tookMs = Math.round(performance.now() - killedAt);
    t.diagnostic(`${end.states.join(", ")} after ${tookMs} ms`);
    assert.ok(tookMs < stack.capabilities.noticesLossWithinMs, `took ${tookMs} ms`);
    // Some stacks say nothing about the channel.
    const lane = end.lane("lane");
    end.connection.close();
    assert.deepEqual([lane.channel.state, lane.ends], ["closed", 1]);
  });
}

/** Offers a connection to the program and waits until it is up. */
async function connect(end: End, peer: Program): Promise<void> {
  end.send = (candidate) => peer.send({ candidate });
  const { channel } = end.createChannel("lane");
  peer.send({ offer: await end.connection.createOffer() });
  while (channel.state !== "open") await relay(peer, end);
  await end.until(() => end.states.includes("connected"));
}

/** Takes the peer's next line, unless the lane opens first. */
async function relay(peer: Program, end: End): Promise<void> {
  const inbox = end.lane("lane");
  const line = await Promise.race([
    peer.line<{ readonly answer?: Description; readonly candidate?: IceCandidate }>(),
    inbox.until(() => inbox.channel.state === "open"),
  ]);
  if (line?.answer !== undefined) await end.connection.setRemote(line.answer);
  if (line?.candidate !== undefined) await end.connection.addCandidate(line.candidate);
}
