import assert from "node:assert/strict";
import type { Link, Listener, PeerAddress, Transport } from "../../src/ports/transport.ts";
import { type Frame, lanes } from "../../src/protocol/frame.ts";
import type { ActrId } from "../../src/protocol/ids.ts";

/** Two peers on one network: `near` dials, `far` listens. Time is fake, so that keep-alive can be driven. */
export interface TransportFixture extends AsyncDisposable {
  readonly near: Transport;
  readonly nearId: ActrId;
  readonly far: Transport;
  readonly farAddress: PeerAddress;
  /** Dials as `near` with a credential that does not hold. */
  readonly impostor: Transport;
  /** Whether a reader that lags slows the sender down on this network. */
  readonly pushesBack: boolean;
  /** Timers of links that have not run. */
  readonly pendingTimers: number;
  /** Connections that are open, as the network sees them. */
  readonly openConnections: number;
  /** Lets time pass; whatever is asked of the other end at its last moment has been answered then, unless the lines are silent. */
  advance(ms: number): Promise<void>;
  /** Makes `far` take until the returned function is called to verify a dialer. */
  holdVerification(): () => void;
  /** The lines go silent: nothing arrives any more and nobody is told. */
  freeze(): void;
  /** The network fails under all connections, and both ends notice. */
  drop(): void;
  /** Sends bytes as they are to `far` over a verified connection, then a frame with `last` as body. */
  sendRaw(messages: readonly Uint8Array[], last: Frame): Promise<void>;
}

/** A signal that nobody aborts. */
export const never: AbortSignal = new AbortController().signal;

/** A frame on the reliable lane with the number as body. */
export function numbered(index: number): Frame {
  const body = new Uint8Array(4);
  new DataView(body.buffer).setUint32(0, index);
  return { lane: lanes.rpcReliable, body };
}

/** The number in a frame of {@link numbered}. */
export function numberOf({ body }: Frame): number {
  return new DataView(body.buffer, body.byteOffset, 4).getUint32(0);
}

/** A frame of `length` bytes. */
export function sized(length: number): Frame {
  return { lane: lanes.streamReliable, body: new Uint8Array(length).fill(7) };
}

/** The links that a listener was handed, to be awaited in order. */
export class Accepted {
  readonly links: Link[] = [];
  #changed: () => void = () => {};

  readonly onLink = (link: Link): void => {
    this.links.push(link);
    this.#changed();
  };

  /** The link with this number, once it is there. */
  async at(index: number): Promise<Link> {
    for (;;) {
      const link = this.links[index];
      if (link !== undefined) return link;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** Both ends of one link. */
export interface LinkPair {
  readonly near: Link;
  readonly far: Link;
  readonly listener: Listener;
  readonly accepted: Accepted;
}

/** Listens, dials and waits until both ends have the link. */
export async function linkPair(fixture: TransportFixture): Promise<LinkPair> {
  const accepted = new Accepted();
  const listener = await listen(fixture, accepted);
  const near = await fixture.near.dial(fixture.farAddress, { signal: never });
  return { near, far: await accepted.at(0), listener, accepted };
}

/** Starts the far listener. */
export function listen({ far }: TransportFixture, accepted: Accepted): Promise<Listener> {
  assert.ok(far.listen !== undefined);
  return far.listen(accepted.onLink, { signal: never });
}

/** The next `count` frames; fewer when the link ends. Lets the iteration be taken up again. */
export async function take(link: Link, count: number): Promise<Frame[]> {
  const iterator = link.frames[Symbol.asyncIterator]();
  const frames: Frame[] = [];
  while (frames.length < count) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    frames.push(value);
  }
  return frames;
}

/** A turn of the event loop in which real sockets move. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
