import type { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import type {
  CandidatePair,
  Channel,
  ChannelHandler,
  ChannelOptions,
  PeerConnection,
  PeerConnectionState,
} from "../../../src/ports/peer_connections.ts";

const maxBufferedBytes = 1_048_576;
const lowWaterBytes = 262_144;

/** How the network between two fake connections behaves. */
export interface NetworkSettings {
  /** Bytes that leave each channel in one turn of the event loop. @default 1 MiB */
  readonly bytesPerTurn?: number;
  /** Share of messages that unreliable channels lose. @default 0 */
  readonly loss?: number;
  /** Whether unordered channels deliver in any order. @default false */
  readonly shuffle?: boolean;
  /** @default 65536 */
  readonly maxMessageBytes?: number;
  readonly seed?: number;
}

/** Two peer connections within this process whose channels behave as those of the port. */
export class ChannelWorld {
  readonly clock: FakeClock;
  readonly settings: Required<NetworkSettings>;
  readonly random: SeededRandom;
  readonly near: FakeConnection = new FakeConnection(this);
  readonly far: FakeConnection = new FakeConnection(this);
  #frozen = false;

  constructor(clock: FakeClock, settings: NetworkSettings = {}) {
    this.clock = clock;
    this.settings = {
      bytesPerTurn: 1_048_576,
      loss: 0,
      shuffle: false,
      maxMessageBytes: 65_536,
      seed: 1,
      ...settings,
    };
    this.random = new SeededRandom(this.settings.seed);
    this.near.other = this.far;
    this.far.other = this.near;
  }

  /** Whether nothing arrives now. */
  get frozen(): boolean {
    return this.#frozen;
  }

  /** Lets nothing arrive, or lets it go on. */
  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    for (const end of [this.near, this.far])
      for (const channel of end.channels) channel.flushLater();
  }

  /** Brings both connections up: every channel opens at both ends. */
  async connect(): Promise<void> {
    for (const end of [this.near, this.far]) end.change("connected");
    for (const end of [this.near, this.far])
      for (const channel of end.channels) end.announce(channel);
    await this.clock.settle();
  }
}

/** One end; negotiation is not its matter. */
export class FakeConnection implements PeerConnection {
  readonly world: ChannelWorld;
  readonly channels: FakeChannel[] = [];
  state: PeerConnectionState = "new";
  other: FakeConnection | undefined;
  onState: (state: PeerConnectionState) => void = () => {};
  onChannel: (channel: Channel) => void = () => {};

  constructor(world: ChannelWorld) {
    this.world = world;
  }

  createChannel(label: string, options: ChannelOptions = {}): FakeChannel {
    const channel = new FakeChannel(this, label, options);
    this.channels.push(channel);
    if (this.state === "connected") this.announce(channel);
    return channel;
  }

  /** Opens an own channel, here and at the other end. */
  announce(channel: FakeChannel): void {
    if (channel.twin !== undefined || this.other === undefined) return;
    const twin = new FakeChannel(this.other, channel.label, channel.options);
    channel.twin = twin;
    twin.twin = channel;
    this.other.channels.push(twin);
    this.other.onChannel(twin);
    for (const end of [channel, twin]) end.opened();
  }

  change(state: PeerConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }

  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    for (const channel of this.channels) channel.ended();
    this.onState("closed");
    this.world.clock.defer(() => this.other?.close());
  }

  createOffer(): Promise<never> {
    return Promise.reject(new TypeError("a fake connection does not negotiate"));
  }

  createAnswer(): Promise<never> {
    return this.createOffer();
  }

  setRemote(): Promise<never> {
    return this.createOffer();
  }

  addCandidate(): Promise<never> {
    return this.createOffer();
  }

  addTrack(): never {
    throw new TypeError("a fake connection has no media");
  }

  removeTrack(): void {}

  async candidatePair(): Promise<CandidatePair> {
    return { local: "host", remote: "host" };
  }
}

/** One end of a channel. */
export class FakeChannel implements Channel {
  readonly label: string;
  readonly options: ChannelOptions;
  /** Everything sent, as it went. */
  readonly sent: Uint8Array[] = [];
  state: Channel["state"] = "connecting";
  bufferedAmount = 0;
  twin: FakeChannel | undefined;
  readonly #connection: FakeConnection;
  readonly #buffer: Uint8Array[] = [];
  readonly #early: Uint8Array[] = [];
  #handler: ChannelHandler | undefined;
  #high = false;
  #flushing = false;

  constructor(connection: FakeConnection, label: string, options: ChannelOptions) {
    this.#connection = connection;
    this.label = label;
    this.options = options;
  }

  get maxMessageBytes(): number {
    return this.#connection.world.settings.maxMessageBytes;
  }

  send(data: Uint8Array): void {
    if (data.length === 0) throw new RangeError("empty");
    if (this.state !== "open") throw new ActrError("unavailable", `${this.label} is ${this.state}`);
    if (data.length > this.maxMessageBytes) throw new ActrError("invalid_argument", "too long");
    if (this.bufferedAmount + data.length > maxBufferedBytes) {
      this.#high = true;
      throw new ActrError("overloaded", "full");
    }
    const copy = data.slice();
    this.sent.push(copy);
    this.#buffer.push(copy);
    this.bufferedAmount += copy.length;
    if (this.bufferedAmount > lowWaterBytes) this.#high = true;
    this.flushLater();
  }

  handle(handler: ChannelHandler): void {
    this.#handler = handler;
    for (const data of this.#early.splice(0)) handler.message(data);
  }

  opened(): void {
    this.state = "open";
    this.#handler?.open?.();
  }

  ended(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#handler?.closed();
  }

  /** One message as if the peer had sent it. */
  receive(data: Uint8Array): void {
    if (this.state !== "open") return;
    if (this.#handler === undefined) this.#early.push(data);
    else this.#handler.message(data);
  }

  flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#connection.world.clock.defer(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { world } = this.#connection;
    if (world.frozen || this.state !== "open") return;
    let room = world.settings.bytesPerTurn;
    while (this.#buffer.length > 0 && room > 0) {
      const message = this.#next();
      room -= message.length;
      this.bufferedAmount -= message.length;
      if (!this.#isLost()) this.twin?.receive(message);
    }
    if (this.#buffer.length > 0) this.flushLater();
    if (!this.#high || this.bufferedAmount > lowWaterBytes) return;
    this.#high = false;
    this.#handler?.drained?.();
  }

  #next(): Uint8Array {
    const { random, settings } = this.#connection.world;
    const free = settings.shuffle && this.options.ordered === false;
    const at = free ? Math.floor(random.next() * this.#buffer.length) : 0;
    return this.#buffer.splice(at, 1)[0] as Uint8Array;
  }

  #isLost(): boolean {
    const { random, settings } = this.#connection.world;
    return this.options.maxRetransmits !== undefined && random.next() < settings.loss;
  }
}
