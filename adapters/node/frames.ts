/** First byte of a frame that is a whole message: FIN, and the opcode (RFC 6455 §5.2). */
const wholeText = 0x81;
const wholeBinary = 0x82;
/** Second byte where the length is in the next two bytes, or eight. */
const length16 = 126;
const length64 = 127;

/** Longest payload that is copied behind its header, bytes; a longer one is written beside it. */
const longestCopy = 4_096;
/** Longest text that is kept for the next socket, characters. */
const longestKept = 16_384;

/**
 * Writes WebSocket messages as frames of a server, which are not masked: the same for every client, so that what many
 * are told is encoded once.
 */
export class Frames {
  #text: string | undefined;
  #frame: Buffer = Buffer.alloc(0);

  /** The frame of a text. */
  text(text: string): Buffer {
    if (text === this.#text) return this.#frame;
    const length = Buffer.byteLength(text);
    const frame = withHeader(wholeText, length, length);
    frame.write(text, frame.length - length);
    if (text.length > longestKept) return frame;
    this.#text = text;
    this.#frame = frame;
    return frame;
  }

  /** The frame of bytes: in one piece, or in two, which are written one after the other. */
  binary(data: Uint8Array): Uint8Array[] {
    const { length } = data;
    if (length > longestCopy) return [withHeader(wholeBinary, length, 0), data];
    const frame = withHeader(wholeBinary, length, length);
    frame.set(data, frame.length - length);
    return [frame];
  }
}

/** A header for a payload of so many bytes, with room for so many behind it. */
function withHeader(first: number, length: number, room: number): Buffer {
  const size = length < length16 ? 2 : length < 2 ** 16 ? 4 : 10;
  const frame = Buffer.allocUnsafe(size + room);
  frame[0] = first;
  if (size === 2) frame[1] = length;
  else if (size === 4) {
    frame[1] = length16;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = length64;
    frame.writeUIntBE(0, 2, 2);
    frame.writeUIntBE(length, 4, 6);
  }
  return frame;
}
