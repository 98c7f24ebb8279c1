import { ActrError } from "../../src/errors.ts";
import type { Channel } from "../../src/ports/peer_connections.ts";
import {
  fragmentCount,
  fragmentHeaderBytes,
  maxFragments,
  writeFragment,
} from "../../src/protocol/fragment.ts";
import { longestMessageBytes } from "./roost_attributes.ts";

const nothing = new Uint8Array(0);

/** Bytes that a waiting body is counted as beside its own. */
const overheadBytes = 64;

/** Where fragments are put together: a channel has copied what it was given when it returns. */
const scratch = new Uint8Array(longestMessageBytes);

/** One body on its way through a channel, fragment by fragment. */
export class Outgoing {
  /** Told once how it ended, when somebody waits. */
  settle: ((error?: unknown) => void) | undefined;
  #body: Uint8Array;
  #withdrawn = false;
  /** Its number on its channel, once a part has left. */
  #id = 0;
  /** Bytes per fragment, fixed by the first. */
  #room = 0;
  #count = 0;
  #next = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  /** What the rest of it is counted as while it waits, bytes: never nothing, so that empty bodies are bounded too. */
  get cost(): number {
    return Math.max(0, this.#body.length - this.#next * this.#room) + overheadBytes;
  }

  /** Whether nobody wants it any more. */
  get withdrawn(): boolean {
    return this.#withdrawn;
  }

  /** Whether a part has left: then the rest has to follow, since the peer keeps what it has. */
  get started(): boolean {
    return this.#next > 0;
  }

  /** Gives it up, and its bytes with it. */
  withdraw(): void {
    this.#withdrawn = true;
    this.#body = nothing;
  }

  /**
   * Gives `channel` as many fragments as it takes, each a message of at most `maxMessageBytes`; whether all have left.
   * `nextId` is its number if the first of them leaves now, so that numbers ascend in the order of leaving.
   * @throws ActrError `invalid_argument` when the peer takes too small messages for it, whatever else the channel throws.
   */
  leaveBy(channel: Channel, maxMessageBytes: number, nextId: number): boolean {
    if (!this.started) {
      this.#divide(Math.min(channel.maxMessageBytes, maxMessageBytes));
      this.#id = nextId;
    }
    for (; this.#next < this.#count; this.#next++) {
      const start = this.#next * this.#room;
      const slice = this.#body.subarray(start, start + this.#room);
      const length = writeFragment(scratch, this.#id, this.#next, this.#count, slice);
      if (!takes(channel, scratch.subarray(0, length))) return false;
    }
    return true;
  }

  #divide(size: number): void {
    this.#room = size - fragmentHeaderBytes;
    this.#count = fragmentCount(this.#body.length, size);
    if (this.#room >= 1 && this.#count <= maxFragments) return;
    const text = `a body of ${this.#body.length} bytes does not fit into messages of ${size}`;
    throw new ActrError("invalid_argument", `${text}, which is all that the peer takes`);
  }
}

/** False when the channel holds back all that it may. */
function takes(channel: Channel, message: Uint8Array): boolean {
  try {
    channel.send(message);
    return true;
  } catch (error) {
    if (ActrError.is(error) && error.code === "overloaded") return false;
    throw error;
  }
}
