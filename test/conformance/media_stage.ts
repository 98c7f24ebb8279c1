import type { LiveTrack, MediaCodec, MediaTrack } from "../../src/media.ts";
import type { LocalTrack, MediaCapabilities } from "../../src/ports/media.ts";
import type { PeerConnections } from "../../src/ports/peer_connections.ts";
import {
  type ConnectionPair,
  connectionPair,
  type End,
  type Heard,
  type PairSettings,
} from "./connection_pair.ts";
import { arrives, type SampleSource, sourceFor } from "./media_samples.ts";

/** Plays and hears live tracks, which some stacks send in place of samples. */
export interface Instruments {
  /** A track that plays what `source` makes. */
  play(source: SampleSource): LiveTrack;
  /** Tells what a track plays, as raw samples. */
  hear(track: LiveTrack, tell: (heard: Heard) => void): void;
  /** Ends what plays. */
  silence(): void;
}

/** A stack with media: how tracks are made and sent there, whatever their form. */
export class MediaStage {
  readonly stack: PeerConnections;
  readonly media: MediaCapabilities;
  readonly #instruments: Instruments | undefined;

  constructor(stack: PeerConnections, instruments?: Instruments) {
    const { media } = stack.capabilities;
    if (media === false) throw new TypeError(`${stack.name} has no media`);
    this.stack = stack;
    this.media = media;
    this.#instruments = instruments;
  }

  /** Two connections, each of which hears the other's tracks. */
  async pair(settings: PairSettings = {}): Promise<ConnectionPair> {
    const pair = await connectionPair(this.stack, settings);
    const instruments = this.#instruments;
    if (instruments === undefined) return pair;
    for (const end of [pair.a, pair.b]) end.listen = (...heard) => instruments.hear(...heard);
    const dispose = (): void => {
      pair[Symbol.dispose]();
      instruments.silence();
    };
    return { ...pair, [Symbol.dispose]: dispose };
  }

  /** A track to add; where the stack takes no samples, one that plays `source`. */
  track(id: string, codec: MediaCodec, source: SampleSource = this.source(codec)): MediaTrack {
    return this.media.form === "live" ? { id, codec, source: this.play(source) } : { id, codec };
  }

  /** A live track that plays `source`. */
  play(source: SampleSource): LiveTrack {
    if (this.#instruments !== undefined) return this.#instruments.play(source);
    throw new TypeError(`the suite needs instruments for the live tracks of ${this.stack.name}`);
  }

  /** Ends what plays. */
  silence(): void {
    this.#instruments?.silence();
  }

  /** Samples of a codec, as the stack takes them. */
  source(codec: MediaCodec): SampleSource {
    return sourceFor(this.media.form, codec);
  }

  /** Sends samples, unless the track plays by itself, until `enough` has come. */
  async arrives(
    to: End,
    local: LocalTrack,
    source: SampleSource = this.source(local.codec),
    enough: () => boolean = () => to.samplesOf(local.id).length >= 3,
  ): Promise<void> {
    if (this.media.form === "live") await to.until(enough);
    else await arrives(to, local.id, local, source, enough);
  }
}
