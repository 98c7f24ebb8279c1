import { labels, lanes } from "./wire.ts";

/** Opens the channel of a lane as the real client does: in band, without protocol, lossy for the last lane alone (`spec/transport.md` §2). */
export function openChannel(connection: RTCPeerConnection, lane: number): RTCDataChannel {
  const lossy = { ordered: false, maxRetransmits: 3 };
  const options = lane === lanes.streamLatencyFirst ? lossy : {};
  return connection.createDataChannel(labels[lane] ?? "", options);
}

/** The lane of a channel that the other side opened; a text that says what is wrong with it. */
export function laneOf(channel: RTCDataChannel): number | string {
  const lane = labels.indexOf(channel.label);
  if (lane < 0) return `a channel ${channel.label}`;
  const [said, expected] = [optionsOf(channel), expectedOptions(lane)];
  return said === expected ? lane : `${channel.label} was opened with ${said}, not ${expected}`;
}

/** How a channel was announced; the library says 65535 for what was not. */
function optionsOf(channel: RTCDataChannel): string {
  const { ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated } = channel;
  const [retransmits, lifeTime] = [maxRetransmits, maxPacketLifeTime].map((value) =>
    value === 65_535 ? null : value,
  );
  return JSON.stringify({ ordered, retransmits, lifeTime, protocol, negotiated });
}

/** How the channel of a lane has to be announced (`spec/transport.md` §2). */
function expectedOptions(lane: number): string {
  const lossy = lane === lanes.streamLatencyFirst;
  const reliability = { ordered: !lossy, retransmits: lossy ? 3 : null, lifeTime: null };
  return JSON.stringify({ ...reliability, protocol: "", negotiated: false });
}
