import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testNode } from "../../../adapters/memory/test_node.ts";
import { defineNode } from "../../../src/define.ts";
import { ActrError } from "../../../src/errors.ts";
import type { SessionState } from "../../../src/identity/session_state.ts";
import type { MediaSample } from "../../../src/media.ts";
import type { LinkMedia } from "../../../src/ports/media.ts";
import type { Transport } from "../../../src/ports/transport.ts";
import { MediaSender } from "../../../src/streams/media_sender.ts";
import { FakeLink, peerId, sessions } from "../session/support.ts";

const far = peerId(2);
const voice = { id: "voice", codec: "opus" } as const;
const sample: MediaSample = {
  data: new Uint8Array(160),
  timestamp: 1_000,
  codec: "opus",
  kind: "audio",
};

/** The tracks of a link, as a peer that agrees to all of them has it. */
class FakeMedia implements LinkMedia {
  readonly added: Set<string> = new Set();
  readonly sent: MediaSample[] = [];
  works = true;

  async addTrack({ id }: typeof voice): Promise<AbortSignal> {
    this.added.add(id);
    return new AbortController().signal;
  }

  async removeTrack(id: string): Promise<void> {
    this.added.delete(id);
  }

  has(id: string): boolean {
    return this.added.has(id);
  }

  send(_id: string, each: MediaSample): boolean {
    if (this.works) this.sent.push(each);
    return this.works;
  }

  onSample(): void {}

  onLive(): void {}
}

class MediaLink extends FakeLink {
  readonly media: FakeMedia = new FakeMedia();
}

function rig({ media = true } = {}) {
  const base = sessions();
  const { manager, transport, clock } = base;
  const standing = { generation: 1, current: 1 };
  const session = {
    get current() {
      return { generation: standing.current } as SessionState["current"];
    },
    assertUsable(generation: number) {
      if (generation !== standing.generation) throw new ActrError("connection_not_ready", "lost");
    },
  };
  const carrier: Transport = {
    name: transport.name,
    capabilities: { ...transport.capabilities, media },
    canDial: () => true,
    dial: () => Promise.reject(new TypeError("dialled by the sessions alone")),
  };
  const sender = new MediaSender({ clock, session, sessions: manager, transports: [carrier] });
  return { ...base, sender, standing };
}

describe("sending media", () => {
  it("connects for a track, sends its samples, counts those that are lost, and removes it", async () => {
    const { sender, transport } = rig();
    const link = new MediaLink(far);
    transport.onDial = async () => link;
    await sender.addTrack(far, voice);
    assert.equal(sender.send(far, "voice", sample), true);
    link.media.works = false;
    assert.equal(sender.send(far, "voice", sample), false);
    assert.equal(sender.dropped, 1);
    assert.deepEqual(link.media.sent, [sample]);
    await sender.removeTrack(far, "voice");
    await sender.removeTrack(far, "voice");
    assert.throws(() => sender.send(far, "voice", sample), {
      code: "not_found",
      message: /add it/,
    });
  });

  it("[ND-50] sends nothing while the node has no standing with its peers", async () => {
    const { sender, transport, standing } = rig();
    const link = new MediaLink(far);
    transport.onDial = async () => link;
    await sender.addTrack(far, voice);
    standing.generation = 2;
    assert.throws(() => sender.send(far, "voice", sample), { code: "connection_not_ready" });
    await assert.rejects(sender.addTrack(far, voice), { code: "connection_not_ready" });
    assert.deepEqual(link.media.sent, []);
    standing.current = 2;
    assert.equal(sender.send(far, "voice", sample), true);
  });

  it("says what to do without a transport that carries media", async () => {
    const { sender, transport } = rig({ media: false });
    const refused = sender.addTrack(far, voice);
    await assert.rejects(refused, { code: "not_implemented", message: /webrtc: true/ });
    assert.deepEqual(transport.dials, []);
  });

  it("says that this node's own stack carries none", async () => {
    const { sender, transport } = rig();
    transport.onDial = async () => Object.assign(new FakeLink(far), { transport: transport.name });
    const refused = sender.addTrack(far, voice);
    await assert.rejects(refused, { code: "not_implemented", message: /WebRTC stack/ });
  });

  it("waits 5 s for WebRTC where WebSocket was quicker, then says so", async () => {
    const { sender, transport, manager, clock } = rig();
    const quick = Object.assign(new FakeLink(far), { transport: "websocket" });
    transport.onDial = async () => quick;
    const refused = assert.rejects(sender.addTrack(far, voice), {
      code: "unavailable",
      message: /connected by websocket, and media need WebRTC/,
    });
    await clock.advance(5_000);
    await refused;
    const added = sender.addTrack(far, voice);
    await clock.advance(1_000);
    const link = new MediaLink(far);
    manager.accept(link);
    await clock.settle();
    await added;
    assert.equal(link.media.has("voice"), true);
  });

  it("ends with its deadline and its signal", async () => {
    const { sender, transport, clock } = rig();
    transport.onDial = () => new Promise(() => {});
    const late = assert.rejects(sender.addTrack(far, voice, { timeoutMs: 100 }), {
      code: "timed_out",
      message: /adding the track voice took longer than 100 ms/,
    });
    await clock.advance(100);
    await late;
    await assert.rejects(
      sender.addTrack(far, voice, { signal: AbortSignal.abort(new Error("left")) }),
      /left/,
    );
  });

  it("a node sends no tracks to itself, and says so", async () => {
    await using node = await testNode(defineNode({}));
    const { media, selfId } = node.context;
    for (const target of ["host", "workload", selfId] as const) {
      await assert.rejects(media.addTrack(target, voice), { code: "not_implemented" });
      await assert.rejects(media.removeTrack(target, "voice"), { code: "not_implemented" });
      assert.throws(() => media.send(target, "voice", sample), { code: "not_implemented" });
    }
    await assert.rejects(media.addTrack(far, voice), { code: "not_implemented" });
  });
});
