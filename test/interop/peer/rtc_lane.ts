import { Assembly, fragments, headerBytes, maxMessageBytes } from "./fragments.ts";
import { labels, lanes } from "./wire.ts";

/** How long a lane waits for its channel, milliseconds (`spec/transport.md` §2.1). */
const openMs = 10_000;

/** The DataChannels of one label: it sends on the first and reads all. */
export class RtcLane {
  /** Sizes of the messages that came. */
  readonly sizes: number[] = [];
  readonly channels: RTCDataChannel[] = [];
  readonly #lane: number;
  readonly #onBody: (body: Uint8Array) => void;
  readonly #complain: (what: string) => void;
  readonly #opened: Promise<void>;
  #open: () => void = () => {};
  #nextId = 0;

  constructor(lane: number, onBody: (body: Uint8Array) => void, complain: (what: string) => void) {
    this.#lane = lane;
    this.#onBody = onBody;
    this.#complain = complain;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Adds a channel of this lane; `onClosed` is told when it ends. */
  add(channel: RTCDataChannel, onClosed: () => void): void {
    const assembly = new Assembly();
    let next = 0;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => {
      if (typeof data === "string") return this.#complain(`a text message on ${this.#label}`);
      const message = new Uint8Array(data as ArrayBuffer);
      if (!this.#isSound(message)) return;
      next = this.#checkNumber(message, next);
      const body = assembly.add(message);
      if (body !== undefined) this.#onBody(body);
    };
    channel.onclose = onClosed;
    channel.onopen = () => this.#open();
    if (channel.readyState === "open") this.#open();
    this.channels.push(channel);
  }

  /** Resolves when the first channel is open. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  /** Sends a body in fragments of `messageBytes`, under the next number. */
  async send(body: Uint8Array, messageBytes?: number): Promise<void> {
    for (const message of fragments(this.takeId(), body, messageBytes)) await this.raw(message);
  }

  /** The number of the next message. */
  takeId(): number {
    return this.#nextId++;
  }

  /** Sends one message as it is, text included. */
  async raw(message: Uint8Array<ArrayBuffer> | string, channelAt = 0): Promise<void> {
    await within(this.#opened, openMs, `${this.#label} to open`);
    const channel = this.channels[channelAt];
    if (channel?.readyState !== "open") throw new Error(`${this.#label} is not open`);
    if (typeof message === "string") channel.send(message);
    else channel.send(message);
  }

  get #label(): string {
    return labels[this.#lane] ?? `lane ${this.#lane}`;
  }

  #isSound(message: Uint8Array): boolean {
    this.sizes.push(message.length);
    if (message.length >= headerBytes && message.length <= maxMessageBytes) return true;
    this.#complain(`a message of ${message.length} bytes on ${this.#label}`);
    return false;
  }

  /** The number that a new message has to have; messages of the lane without order come as they like. */
  #checkNumber(message: Uint8Array, next: number): number {
    const view = new DataView(message.buffer);
    const [id, index, count] = [view.getUint32(0), view.getUint16(4), view.getUint16(6)];
    if (index >= count) this.#complain(`fragment ${index} of ${count} on ${this.#label}`);
    if (this.#lane === lanes.streamLatencyFirst) return next;
    if (index === 0 && id !== next)
      this.#complain(`message ${id} instead of ${next} on ${this.#label}`);
    return index === 0 ? next + 1 : next;
  }
}

/** Fails when `work` takes longer than `limitMs`. */
export async function within<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${limitMs} ms for ${what}`)), limitMs);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
