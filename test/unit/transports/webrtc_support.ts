import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { FrameStream } from "../../../src/ports/transport.ts";
import { type Frame, type Lane, laneLabels } from "../../../src/protocol/frame.ts";
import type { ReassemblyBudget } from "../../../src/protocol/reassembly_budget.ts";
import type { WebRtcLinkOptions } from "../../../transports/webrtc/link_options.ts";
import { WebRtcLink } from "../../../transports/webrtc/webrtc_link.ts";
import { type LogRecord, RecordingLogger } from "../identity/support.ts";
import { peerId } from "../session/support.ts";
import { ChannelWorld, type FakeChannel, type NetworkSettings } from "./channel_world.ts";

/** Two links over one world; `near` offers. */
export interface LinkPair {
  readonly clock: FakeClock;
  readonly world: ChannelWorld;
  readonly near: WebRtcLink;
  readonly far: WebRtcLink;
  readonly records: LogRecord[];
  /** The offerer's own channel of a lane. */
  channel(lane: Lane): FakeChannel;
}

/** What a pair of links is made with. */
export interface PairSettings {
  readonly options?: Partial<WebRtcLinkOptions>;
  readonly network?: NetworkSettings;
  readonly budget?: ReassemblyBudget;
  /** Whether `near` opens its four channels. @default true */
  readonly channels?: boolean;
}

/** Connects two links. */
export async function linkPair(settings: PairSettings = {}): Promise<LinkPair> {
  const clock = new FakeClock();
  const world = new ChannelWorld(clock, settings.network);
  const log = new RecordingLogger();
  const { options, budget } = settings;
  const shared = budget === undefined ? { clock, log } : { clock, log, budget };
  const [near, far] = [
    new WebRtcLink(
      { ...shared, connection: world.near, peer: peerId(2), direction: "outbound" },
      options,
    ),
    new WebRtcLink(
      { ...shared, connection: world.far, peer: peerId(1), direction: "inbound" },
      options,
    ),
  ];
  for (const [end, link] of [
    [world.near, near],
    [world.far, far],
  ] as const) {
    end.onState = (state) => link.connectionState(state);
    end.onChannel = (channel) => link.addChannel(channel);
  }
  if (settings.channels !== false) near.openChannels();
  await world.connect();
  const channel = (lane: Lane): FakeChannel =>
    world.near.channels.find(({ label }) => label === laneLabels[lane]) as FakeChannel;
  return { clock, world, near, far, records: log.records, channel };
}

/** Keeps what a stream of frames brings. */
export function collect(frames: FrameStream): Frame[] {
  const taken: Frame[] = [];
  void (async () => {
    for await (const frame of frames) taken.push(frame);
  })();
  return taken;
}

/** Everything that a link brings, whatever it came by. */
export function collectAll({ frames, streams }: WebRtcLink): Frame[][] {
  return [frames, ...streams].map(collect);
}
