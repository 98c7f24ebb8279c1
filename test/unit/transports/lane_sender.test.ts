import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import type { Channel } from "../../../src/ports/peer_connections.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import { LaneSender } from "../../../transports/webrtc/lane_sender.ts";

const body = new Uint8Array(20);

function laneSender(): LaneSender {
  const { rpcReliable: lane } = lanes;
  return new LaneSender({ lane, clock: new FakeClock(), channelTimeoutMs: 1_000 });
}

/** Sends to `sender`; how that failed, and how often the body was released. */
async function refused(sender: LaneSender): Promise<[code: unknown, released: number]> {
  let released = 0;
  const count = (): void => {
    released += 1;
  };
  const sent = sender.send(body, { released: count });
  const code = await sent.then(
    () => undefined,
    (error: unknown) => ActrError.is(error) && error.code,
  );
  return [code, released];
}

describe("a body that a lane will never send", () => {
  it("is released when the link has ended", async () => {
    const sender = laneSender();
    sender.end(new ActrError("unavailable", "the link is gone"));
    assert.deepEqual(await refused(sender), ["unavailable", 1]);
  });

  it("is released when it does not fit into what the peer reads", async () => {
    const sender = laneSender();
    const channel: Channel = {
      label: "narrow",
      state: "open",
      bufferedAmount: 0,
      maxMessageBytes: 8,
      send: () => assert.fail("nothing fits"),
      handle: () => {},
    };
    sender.assign(channel);
    assert.deepEqual(await refused(sender), ["invalid_argument", 1]);
  });
});
