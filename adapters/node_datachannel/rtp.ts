/** Bytes of the header that this side writes: no contributing sources, no extension. */
const headerBytes = 12;

/** What an RTP packet says of its payload. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** The place of a packet in its stream. */
export interface RtpHeader {
  /** 7 bits. */
  readonly payloadType: number;
  /** 16 bits. */
  readonly sequence: number;
  /** 32 bits. */
  readonly timestamp: number;
  /** 32 bits. */
  readonly source: number;
}

/** One packet, marked as the end of a frame as Actr peers mark all (`spec/transport.md` §9, RFC 3550 §5.1). */
export function writeRtp(header: RtpHeader, payload: Uint8Array): Buffer {
  const packet = Buffer.allocUnsafe(headerBytes + payload.length);
  packet[0] = 0x80;
  packet[1] = 0x80 | header.payloadType;
  packet.writeUInt16BE(header.sequence, 2);
  packet.writeUInt32BE(header.timestamp, 4);
  packet.writeUInt32BE(header.source, 8);
  packet.set(payload, headerBytes);
  return packet;
}

/** A packet that came; undefined for one that is broken, has no payload, or is RTCP (RFC 5761 §4). */
export function readRtp(packet: Uint8Array): RtpPacket | undefined {
  const [first = 0, second = 0] = packet;
  if (packet.length < headerBytes || first >> 6 !== 2 || (second >= 192 && second <= 223)) return;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const start = payloadStart(view, first);
  const padding = (first & 0x20) === 0 ? 0 : view.getUint8(packet.length - 1);
  if (start === undefined || start >= packet.length - padding) return;
  const payload = packet.subarray(start, packet.length - padding);
  return { payloadType: second & 0x7f, timestamp: view.getUint32(4), payload };
}

/** Where the payload begins, behind contributing sources and an extension. */
function payloadStart(view: DataView, first: number): number | undefined {
  const start = headerBytes + (first & 0x0f) * 4;
  if ((first & 0x10) === 0) return start;
  if (start + 4 > view.byteLength) return undefined;
  return start + 4 + view.getUint16(start + 2) * 4;
}
