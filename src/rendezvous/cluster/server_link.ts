import { ActrError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Socket } from "../../ports/sockets.ts";
import { equalBytes } from "../../protocol/bytes.ts";
import { withResolvers } from "../../with_resolvers.ts";
import { decodeFrames, encodeFrames, type Frame, weightOf } from "./frames.ts";

/** What a link needs of a socket, so that the store can stand in for one. */
export type Line = Pick<Socket, "bufferedAmount" | "send" | "close" | "terminate" | "handle">;

/** Who is at the ends of a link. */
export interface LinkEnds {
  /** Numbers of the servers. */
  readonly self: number;
  readonly peer: number;
  /** What this side proves itself with. */
  readonly shows?: Uint8Array;
  /** What the other side has to prove itself with; nothing where the line itself is proof. */
  readonly expects?: Uint8Array;
}

/** Who hears what comes over a link. */
export interface LinkOwner {
  /** The other side is who it should be; told once, before any frames. */
  met(link: ServerLink): void;
  /** Frames in the order in which they were sent. @throws ActrError for what is none: then the link ends. */
  frames(frames: readonly Frame[]): void;
  /** The link is gone; told once. */
  ended(link: ServerLink, reason: string): void;
}

/** Longest message, bytes: a batch, and one frame that begins just below its end. */
export const maxLinkMessageBytes: number = 4 * 1024 * 1024;

/** Bytes of frames that share a message; one frame alone may be longer. */
const batchBytes = 256 * 1024;
/** Bytes that may wait before relays are refused. */
const maxRelayBytes = 4 * 1024 * 1024;
/** Bytes that may wait before the link is given up: whoever comes back is told everything anew. */
const maxBytes = 32 * 1024 * 1024;
/** Bytes that may wait before a list of all nodes pauses. */
const paceBytes = 1024 * 1024;
const noProof = new Uint8Array(0);

/** Frames to and from one other server, over one line. What is sent in one turn of the event loop shares a message. */
export class ServerLink {
  /** When anything came over it, monotonic milliseconds. */
  heardAt: number;
  /** Resolves when it has ended. */
  readonly closed: Promise<void>;
  readonly #line: Line;
  readonly #ends: LinkEnds;
  readonly #clock: Clock;
  readonly #owner: LinkOwner;
  readonly #tellClosed: () => void;
  #met = false;
  #ended = false;
  #waiting: Frame[] = [];
  #waitingBytes = 0;

  /** Greets the other side; the line must have no handler yet. */
  constructor(line: Line, ends: LinkEnds, clock: Clock, owner: LinkOwner) {
    const { promise, resolve } = withResolvers<void>();
    this.closed = promise;
    this.#tellClosed = resolve;
    this.#line = line;
    this.#ends = ends;
    this.#clock = clock;
    this.#owner = owner;
    this.heardAt = clock.monotonic();
    // First: what has come already is handled at once, and may be answered.
    this.send({ kind: "hello", server: ends.self, proof: ends.shows ?? noProof });
    line.handle({
      message: (data) => this.#message(data),
      closed: ({ reason, code }) => this.#end(reason === "" ? `closed with ${code}` : reason),
    });
  }

  /** Whether it takes no relays at the moment. */
  get congested(): boolean {
    return this.#ended || this.#bytes > maxRelayBytes;
  }

  /** Whether a long list should wait a moment. */
  get busy(): boolean {
    return !this.#ended && this.#bytes > paceBytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(frame: Frame): void {
    if (this.#ended) return;
    if (this.#waiting.length === 0) this.#clock.defer(() => this.#flush());
    this.#waiting.push(frame);
    this.#waitingBytes += weightOf(frame);
    if (this.#waitingBytes >= batchBytes) this.#flush();
    if (this.#bytes > maxBytes) this.drop("the other server does not read");
  }

  /** Sends what waits, and hangs up. */
  close(reason: string): void {
    this.#flush();
    this.#line.close(1001, reason);
    this.#end(reason);
  }

  /** Hangs up at once. */
  drop(reason: string): void {
    this.#line.terminate();
    this.#end(reason);
  }

  get #bytes(): number {
    return this.#line.bufferedAmount + this.#waitingBytes;
  }

  #flush(): void {
    if (this.#waiting.length === 0 || this.#ended) return;
    const frames = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#line.send(encodeFrames(frames));
  }

  #message(data: Uint8Array): void {
    if (this.#ended) return;
    this.heardAt = this.#clock.monotonic();
    try {
      const frames = decodeFrames(data);
      this.#owner.frames(this.#met ? frames : this.#greeted(frames));
    } catch (error) {
      this.drop(`what came makes no sense: ${ActrError.from(error).message}`);
    }
  }

  /** What follows the greeting. */
  #greeted([hello, ...frames]: readonly Frame[]): readonly Frame[] {
    const { peer, expects } = this.#ends;
    if (hello?.kind !== "hello" || hello.server !== peer) {
      throw new ActrError("permission_denied", `server ${peer} has not greeted`);
    }
    if (expects !== undefined && !equalBytes(hello.proof, expects)) {
      throw new ActrError("permission_denied", `who is at the address of server ${peer} is not it`);
    }
    this.#met = true;
    this.#owner.met(this);
    return frames;
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#tellClosed();
    this.#owner.ended(this, reason);
  }
}
