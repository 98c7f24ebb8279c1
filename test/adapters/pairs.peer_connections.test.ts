import assert from "node:assert/strict";
import { it } from "node:test";
import { connectionPair, End } from "../conformance/connection_pair.ts";
import { thisRuntime } from "../fixtures/runtimes.ts";
import { stackNames, webrtcStacks, whyMissing } from "../fixtures/webrtc_stacks.ts";

const missing = (await Promise.all(stackNames.map(whyMissing))).find((why) => why !== undefined);
// Measured with Deno 2.9.5: every test passes, then the process ends with signal 11.
const crash = thisRuntime === "deno" && "Deno crashes at exit once it used both libraries";
const limit = { timeout: 20_000, skip: missing ?? crash };

for (const [offerer, answerer] of [
  ["wrtc", "node-datachannel"],
  ["node-datachannel", "wrtc"],
] as const) {
  it(`${offerer} offers, ${answerer} answers, and bytes go both ways`, limit, async () => {
    using pair = await connectionPair(await webrtcStacks[offerer](), {
      answerer: await webrtcStacks[answerer](),
    });
    for (const [from, to] of [
      [pair.sender, pair.receiver],
      [pair.receiver, pair.sender],
    ] as const) {
      const message = new Uint8Array(from.channel.maxMessageBytes).fill(7);
      from.channel.send(message);
      await to.until(() => to.messages.length === 1);
      assert.deepEqual(to.messages, [message]);
    }
    pair.a.connection.close();
    await pair.receiver.until(() => pair.receiver.ends === 1);
  });
}

for (const name of stackNames) {
  it(`${name} announces how a lane delivers`, limit, async () => {
    const offerer = new End(await webrtcStacks[name](), {});
    const { default: wrtc } = await import("@roamhq/wrtc");
    const raw = new wrtc.RTCPeerConnection();
    const announced = new Promise<RTCDataChannel>((resolve) => {
      raw.ondatachannel = ({ channel }: RTCDataChannelEvent) => resolve(channel);
    });
    offerer.send = (candidate) => void raw.addIceCandidate(candidate);
    offerer.createChannel("lane", { ordered: false, maxRetransmits: 3 });
    const offer = await offerer.connection.createOffer();
    await raw.setRemoteDescription(offer);
    const answer = await raw.createAnswer();
    await raw.setLocalDescription(answer);
    await offerer.connection.setRemote({ type: "answer", sdp: answer.sdp ?? "" });
    raw.onicecandidate = ({ candidate }: RTCPeerConnectionIceEvent) => {
      if (candidate !== null) void offerer.connection.addCandidate(candidate);
    };
    const { label, ordered, maxRetransmits, protocol } = await announced;
    offerer.connection.close();
    raw.close();
    assert.deepEqual([label, ordered, maxRetransmits, protocol], ["lane", false, 3, ""]);
  });
}
