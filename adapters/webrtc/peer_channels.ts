import { ActrError } from "../../src/errors.ts";
import type { PeerConnectionOptions } from "../../src/ports/peer_connections.ts";
import { EarlyBudget } from "./early_budget.ts";
import { type ChannelLimits, channelLimits, PeerChannel, type RawChannel } from "./peer_channel.ts";
import type { Stack } from "./raw_connection.ts";
import { maxMessageBytes } from "./sdp.ts";

/** Bytes kept for channels without handler, unless the options say otherwise. */
const defaultMaxEarlyBytes = 1_048_576;

/** The channels of one connection, and what they share. */
export class PeerChannels {
  readonly #stack: Stack;
  readonly #limits: ChannelLimits;
  readonly #early: EarlyBudget;
  readonly #all = new Set<PeerChannel>();
  /** Read from the peer's description once, not for each message. */
  #maxMessageBytes = 0;

  /** `overrun` is called when the peer sends too much that nobody handles. */
  constructor(stack: Stack, options: PeerConnectionOptions, overrun: (reason: ActrError) => void) {
    this.#stack = stack;
    this.#limits = channelLimits(options);
    const { maxEarlyBytes = defaultMaxEarlyBytes } = options;
    this.#early = new EarlyBudget(maxEarlyBytes, (limit) => overrun(unheard(limit)));
    this.described("");
  }

  /** The peer's description says which messages it takes. */
  described(sdp: string): void {
    this.#maxMessageBytes = Math.min(this.#stack.maxMessageBytes, maxMessageBytes(sdp));
  }

  /** A channel over the stack's own. */
  wrap(raw: RawChannel): PeerChannel {
    const { clock, lowWaterEvents } = this.#stack;
    const takes = (): number => this.#maxMessageBytes;
    const early = this.#early;
    const channel = new PeerChannel(
      { raw, clock, lowWaterEvents, maxMessageBytes: takes, early },
      this.#limits,
    );
    this.#all.add(channel);
    return channel;
  }

  /** The connection has ended, and they with it. */
  end(): void {
    for (const channel of this.#all) channel.ended();
    this.#all.clear();
  }
}

function unheard(limit: number): ActrError {
  return new ActrError(
    "overloaded",
    `the peer sent more than ${limit} bytes on channels that nobody handles; open the agreed lanes alone`,
  );
}
