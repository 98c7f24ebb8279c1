import { abortable } from "#async";
import { ActrError } from "../errors.ts";
import type { Link, LinkClosed, SendOptions } from "../ports/transport.ts";
import type { Frame } from "../protocol/frame.ts";
import type { ActrId } from "../protocol/ids.ts";
import { withResolvers } from "../with_resolvers.ts";
import { FrameQueue } from "./frame_queue.ts";

/** Name of the links of a node to itself, where others have that of their transport. */
export const local = "local";

const mebibyte = 1024 * 1024;

/** Bytes not read yet above which `send` waits. */
const highWaterBytes = mebibyte;
/** Bytes not read yet above which `send` refuses. */
const maxBufferedBytes = 64 * mebibyte;

const sent = Promise.resolve();

/** The two ends of a link of a node to itself: what leaves one comes in at the other, as it is (`spec/transport.md` §11). */
export function localLinks(self: ActrId): readonly [outbound: Link, inbound: Link] {
  const outbound = new LocalLink(self, "outbound");
  const inbound = new LocalLink(self, "inbound");
  outbound.connect(inbound);
  inbound.connect(outbound);
  return [outbound, inbound];
}

class LocalLink implements Link {
  readonly transport: string = local;
  readonly peer: ActrId;
  readonly direction: Link["direction"];
  readonly frames: FrameQueue;
  readonly closed: Promise<LinkClosed>;
  readonly #end: (end: LinkClosed) => void;
  #other: LocalLink | undefined;
  /** While what was received has grown too much. */
  #full: ReturnType<typeof withResolvers<void>> | undefined;

  constructor(peer: ActrId, direction: Link["direction"]) {
    this.peer = peer;
    this.direction = direction;
    const { promise, resolve } = withResolvers<LinkClosed>();
    this.closed = promise;
    this.#end = resolve;
    this.frames = new FrameQueue(highWaterBytes, {
      full: () => {
        this.#full = withResolvers<void>();
      },
      roomy: () => this.#makeRoom(),
    });
  }

  /** Makes `other` the end at which comes in what leaves here. */
  connect(other: LocalLink): void {
    this.#other = other;
  }

  get bufferedBytes(): number {
    return this.#other?.frames.bytes ?? 0;
  }

  async send(frame: Frame, options?: SendOptions): Promise<void> {
    const other = this.#other;
    if (other === undefined) throw new ActrError("unavailable", "the node's link to itself closed");
    if (other.frames.bytes > maxBufferedBytes) {
      const waiting = `${other.frames.bytes} bytes wait to be read by this node`;
      throw new ActrError("overloaded", `${waiting}; send later`, { retryAfterMs: 100 });
    }
    other.frames.push(frame);
    const room = other.#full?.promise ?? sent;
    await (options?.signal === undefined ? room : abortable(room, options.signal));
  }

  async close(reason: string): Promise<void> {
    const other = this.#other;
    this.#leave({ by: "local", reason });
    if (other !== undefined) other.#leave({ by: "remote", reason });
  }

  #leave(end: LinkClosed): void {
    this.#other = undefined;
    this.frames.end();
    this.#makeRoom();
    this.#end(end);
  }

  #makeRoom(): void {
    this.#full?.resolve();
    this.#full = undefined;
  }
}
