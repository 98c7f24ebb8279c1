import type { SocketHandler } from "../../ports/sockets.ts";
import type { Line } from "./server_link.ts";

const nothing = new Uint8Array(0);

/** One line of a mailroom: what is sent becomes letters, an empty one hangs up. */
export class MailLine implements Line {
  readonly number: number;
  readonly #post: (data: Uint8Array) => Promise<void>;
  readonly #over: () => void;
  #handler: SocketHandler | undefined;
  /** What came before there was somebody to read it. */
  readonly #early: Uint8Array[] = [];
  #ended = false;
  bufferedAmount = 0;

  constructor(number: number, post: (data: Uint8Array) => Promise<void>, over: () => void) {
    this.number = number;
    this.#post = post;
    this.#over = over;
  }

  handle(handler: SocketHandler): void {
    this.#handler = handler;
    for (const data of this.#early.splice(0)) handler.message(data);
  }

  send(data: Uint8Array): void {
    if (this.#ended) return;
    this.bufferedAmount += data.length;
    this.#post(data).then(
      () => {
        this.bufferedAmount -= data.length;
      },
      () => this.end("the store does not take letters"),
    );
  }

  receive(data: Uint8Array): void {
    if (data.length === 0) this.end("the other server has hung up");
    else if (this.#handler === undefined) this.#early.push(data);
    else this.#handler.message(data);
  }

  close(_code: number, reason: string): void {
    this.#hangUp(reason);
  }

  terminate(): void {
    this.#hangUp("hung up");
  }

  /** Ends it on this side alone. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#over();
    this.#handler?.closed({ code: 1006, reason });
  }

  #hangUp(reason: string): void {
    if (this.#ended) return;
    // Who is told too late learns it from the next line, or from the lease.
    this.#post(nothing).catch(() => {});
    this.end(reason);
  }
}
