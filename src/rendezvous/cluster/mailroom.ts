import type { Clock, Timer } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Store } from "../../ports/store.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { MailLine } from "./mail_line.ts";
import type { Line } from "./server_link.ts";

/** What a {@link Mailroom} stands on. */
export interface MailroomComponents {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How a server gets its mail. */
export interface MailroomOptions {
  /** Number of this server. */
  readonly self: number;
  /** Pause between two looks while a line is open, milliseconds. */
  readonly pollMs: number;
  /** Pause while none is: how long a server that can only write may wait for its first answer, milliseconds. */
  readonly idlePollMs: number;
  /** Another server has begun a line. */
  readonly accept: (from: number, line: Line) => void;
}

/** A letter: the number of its line, which goes up with each that its caller begins; empty for the end of the line. */
type Letter = readonly [line: number, dialled: boolean, data: Uint8Array];

const lettersAtOnce = 64;

/**
 * Lines to other servers through the store, for those that cannot reach each other: letters in a space per receiver, read at
 * short intervals, in order, and deleted when read. A line's letters are bounded by what its sender may have on their way.
 */
export class Mailroom {
  readonly #components: MailroomComponents;
  readonly #options: MailroomOptions;
  readonly #lines = new Map<number, MailLine>();
  readonly #read = new Map<number, number>();
  #lastLine: number;
  #lastLetter = 0;
  #timer: Timer | undefined;
  #round: Promise<void> | undefined;
  #closed = false;

  constructor(components: MailroomComponents, options: MailroomOptions) {
    this.#components = components;
    this.#options = options;
    this.#lastLine = components.clock.now();
    this.#arm();
  }

  /** Begins a line to another server; whether that reads it shows when it answers. */
  dial(to: number): Line {
    this.#lastLine = Math.max(this.#lastLine + 1, this.#components.clock.now());
    const line = this.#open(to, this.#lastLine, true);
    this.#arm();
    return line;
  }

  /** Reads what has come. Calls while it goes on share it; never rejects. */
  look(): Promise<void> {
    this.#round ??= this.#look()
      .catch((error: unknown) => {
        this.#components.log.warn("rendezvous.cluster.mail_failed", { error });
      })
      .then(() => {
        this.#round = undefined;
      });
    return this.#round;
  }

  /** Hangs up everywhere, and reads no more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const line of [...this.#lines.values()]) line.terminate();
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    const { pollMs, idlePollMs } = this.#options;
    const { clock } = this.#components;
    const pause = this.#lines.size > 0 ? pollMs : idlePollMs;
    this.#timer = clock.timer(clock.now() + pause, () => void this.look().then(() => this.#arm()));
  }

  async #look(): Promise<void> {
    const space = spaceOf(this.#options.self);
    for (;;) {
      const letters = await this.#components.store.records(space, "", lettersAtOnce);
      if (letters.length === 0 || this.#closed) return;
      for (const { key, value } of letters) this.#letter(key, value);
      const { store } = this.#components;
      await store.commit(letters.map(({ key }) => ({ kind: "record.delete", space, key })));
      if (letters.length < lettersAtOnce) return;
    }
  }

  /** Reads a letter once, though it may not be known whether it was deleted. */
  #letter(key: string, value: Uint8Array): void {
    const [from = 0, number = 0] = key.split(":").map(Number);
    if (number <= (this.#read.get(from) ?? 0)) return;
    this.#read.set(from, number);
    const [line, dialled, data] = decodeCbor(value) as Letter;
    const known = this.#lines.get(from);
    if (known?.number === line) return known.receive(data);
    // Of a line that is over, or an answer to one that this server has given up.
    if (!dialled || data.length === 0 || (known !== undefined && known.number > line)) return;
    known?.end("another line has taken its place");
    const accepted = this.#open(from, line, false);
    this.#options.accept(from, accepted);
    accepted.receive(data);
  }

  #open(peer: number, number: number, dialled: boolean): MailLine {
    const post = (data: Uint8Array): Promise<void> => this.#post(peer, [number, dialled, data]);
    const line = new MailLine(number, post, () => {
      if (this.#lines.get(peer) === line) this.#lines.delete(peer);
    });
    this.#lines.set(peer, line);
    return line;
  }

  #post(to: number, letter: Letter): Promise<void> {
    const key = `${padded(this.#options.self)}:${padded(++this.#lastLetter)}`;
    const change = {
      kind: "record.put",
      space: spaceOf(to),
      key,
      value: encodeCbor(letter),
    } as const;
    return this.#components.store.commit([change]);
  }
}

/** Deletes what nobody will read. @throws ActrError `storage`. */
export async function clearMail(store: Store, server: number): Promise<void> {
  const space = spaceOf(server);
  for (;;) {
    const letters = await store.records(space, "", lettersAtOnce);
    if (letters.length === 0) return;
    await store.commit(letters.map(({ key }) => ({ kind: "record.delete", space, key })));
  }
}

function spaceOf(server: number): string {
  return `rendezvous.mail.${padded(server)}`;
}

function padded(number: number): string {
  return String(number).padStart(12, "0");
}
