import type { Clock } from "../../src/ports/clock.ts";
import type { Socket, SocketClosed, SocketHandler } from "../../src/ports/sockets.ts";
import { utf8Length } from "../../src/protocol/utf8.ts";

/** Bytes queued at once after which an empty queue is reported as drained. */
const drainedAboveBytes = 16_384;

/** Faults of a pair of memory sockets; a test changes them at any time. */
export interface MemoryFaults {
  /** How long each message is on its way, milliseconds. */
  delayMs: number;
  /** Messages vanish, as on a half-open connection; nothing is told to either end. */
  blackhole: boolean;
}

/** What the two ends of a connection share. */
export interface MemoryLine {
  readonly clock: Clock;
  readonly faults: MemoryFaults;
  /** Told when an end is gone. */
  ended(socket: MemorySocket): void;
}

/** Two sockets of which each receives what the other sends: in order, on a later turn, held while the receiver is paused. */
export function memorySocketPair(line: MemoryLine, protocol = ""): [MemorySocket, MemorySocket] {
  const first = new MemorySocket(line, protocol);
  const second = new MemorySocket(line, protocol);
  first.connect(second);
  second.connect(first);
  return [first, second];
}

interface Text {
  readonly text: string;
  readonly bytes: number;
}

type Item = Uint8Array | Text | SocketClosed | "ping" | "pong";

/** One end of {@link memorySocketPair}. */
export class MemorySocket implements Socket {
  readonly protocol: string;
  readonly #line: MemoryLine;
  /** Itself until it is connected. */
  #other: MemorySocket = this;
  #handler: SocketHandler | undefined;
  /** What this end is to receive. */
  #inbox: Item[] = [];
  /** How many of them have had their delay. */
  #arrived = 0;
  #inboxBytes = 0;
  #wasHigh = false;
  #scheduled = false;
  #paused = false;
  #closing = false;
  #ended = false;

  constructor(line: MemoryLine, protocol: string) {
    this.#line = line;
    this.protocol = protocol;
  }

  get bufferedAmount(): number {
    return this.#other.#inboxBytes;
  }

  /** Sets the other end; called once for each. */
  connect(other: MemorySocket): void {
    this.#other = other;
  }

  send(data: Uint8Array): void {
    if (!this.#closing) this.#other.#put(data, data.length);
  }

  sendText(text: string): void {
    const bytes = utf8Length(text);
    if (!this.#closing) this.#other.#put({ text, bytes }, bytes);
  }

  ping(): boolean {
    if (!this.#closing) this.#other.#put("ping", 0);
    return true;
  }

  pause(): boolean {
    this.#paused = true;
    return true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#arrived > 0) this.#schedule();
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.resume();
    this.#other.#put({ code, reason }, 0);
  }

  terminate(): void {
    this.#end({ code: 1006, reason: "" });
    if (!this.#line.faults.blackhole) this.#other.#end({ code: 1006, reason: "" });
  }

  handle(handler: SocketHandler): void {
    this.#handler = handler;
    if (this.#arrived > 0) this.#schedule();
  }

  #put(item: Item, bytes: number): void {
    const { clock, faults } = this.#line;
    if (this.#ended || faults.blackhole) return;
    this.#inbox.push(item);
    this.#inboxBytes += bytes;
    this.#wasHigh ||= this.#inboxBytes > drainedAboveBytes;
    if (faults.delayMs === 0) this.#arrive();
    else clock.timer(clock.now() + faults.delayMs, () => this.#arrive());
  }

  #arrive(): void {
    this.#arrived++;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#handler === undefined) return;
    this.#scheduled = true;
    this.#line.clock.defer(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  /** Hands over what has arrived, until the handler pauses. */
  #deliver(): void {
    const inbox = this.#inbox;
    let taken = 0;
    while (taken < this.#arrived && !this.#paused && !this.#ended) {
      const item = inbox[taken++];
      if (item !== undefined) this.#receive(item);
    }
    if (this.#ended) return;
    this.#inbox = inbox.slice(taken);
    this.#arrived -= taken;
    if (this.#inboxBytes > 0 || !this.#wasHigh) return;
    this.#wasHigh = false;
    this.#other.#handler?.drained?.();
  }

  #receive(item: Item): void {
    if (item instanceof Uint8Array) {
      this.#inboxBytes -= item.length;
      this.#handler?.message(item);
    } else if (item === "ping") this.#other.#put("pong", 0);
    else if (item === "pong") this.#handler?.pong?.();
    else if ("text" in item) this.#text(item);
    else this.#closed(item);
  }

  #text({ text, bytes }: Text): void {
    this.#inboxBytes -= bytes;
    this.#handler?.text?.(text);
  }

  /** A close frame came: the first one is answered with the same code, the answer ends the handshake. */
  #closed(end: SocketClosed): void {
    if (!this.#closing) this.#other.#put(end, 0);
    this.#closing = true;
    this.#end(end);
  }

  #end(end: SocketClosed): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closing = true;
    this.#inbox = [];
    this.#inboxBytes = 0;
    this.#handler?.closed(end);
    this.#line.ended(this);
  }
}
