import { ActrError } from "../../../../src/errors.ts";
import {
  Client,
  type ClientHost,
  type ClientSink,
} from "../../../../src/host/connections/client.ts";
import type { Instance } from "../../../../src/host/instance.ts";
import type { Answer } from "../../../../src/host/turns/command.ts";
import type { Note } from "./subject.ts";

/** What a listener tells the world. */
export interface ListenerEvents {
  noted(note: Note): void;
  violation(what: string): void;
  failed(error: ActrError): void;
}

/** A client that is connected, hears of every note without a gap, and asks for actions. */
export class Listener implements ClientSink {
  readonly codec = { event: (_name: string, [note]: readonly unknown[]) => JSON.stringify(note) };
  readonly #events: ListenerEvents;
  readonly #client: Client;
  /** Who waits for what it asked, by number. */
  readonly #asked = new Map<bigint, Answer>();
  #isOpen = false;
  #isClosed = false;
  #next: number | undefined;
  #lastId = 0n;

  constructor(host: ClientHost, events: ListenerEvents) {
    this.#events = events;
    this.#client = new Client(host, this);
  }

  /** Whether it was let in, and not told of its end. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosed;
  }

  /** @throws ActrError what refuses it. */
  async connect({ connections }: Instance): Promise<void> {
    try {
      await connections.connect({ params: undefined, client: this.#client });
    } catch (error) {
      this.#end();
      throw error;
    }
    const message = { tag: "SubscriptionRequest", eventName: "noted", subscribe: true } as const;
    this.#client.receive(message, 1);
  }

  /** Asks for an action; its end answers whatever has no answer. */
  ask(name: string, args: readonly unknown[], answer: Answer): void {
    this.#lastId += 1n;
    const id = this.#lastId;
    this.#asked.set(id, answer);
    this.#client.receive({ tag: "ActionRequest", id, name, args }, 1);
  }

  leave(): void {
    this.#end();
    this.#client.leave();
  }

  opened(): void {
    this.#isOpen = true;
  }

  send(frame: string | Uint8Array): void {
    if (this.#isClosed) return;
    const note = JSON.parse(String(frame)) as Note;
    const { position } = note;
    if (position !== (this.#next ?? position)) {
      this.#events.violation(`note ${position} in place of ${this.#next}`);
    }
    this.#next = position + 1;
    this.#events.noted(note);
  }

  answerTo(id: bigint): Answer {
    return {
      take: (output) => {
        const hand = this.#asked.get(id)?.take(output);
        return () => this.#settle(id, () => hand?.());
      },
      fail: (error) => this.#settle(id, (answer) => answer.fail(error)),
    };
  }

  fail(error: ActrError): void {
    this.#events.failed(error);
  }

  probe(): void {}

  close(): void {
    this.#end();
  }

  /** What was asked is answered once; not at all to one that has left. */
  #settle(id: bigint, tell: (answer: Answer) => void): void {
    if (this.#isClosed) return;
    const answer = this.#asked.get(id);
    if (answer === undefined) return this.#events.violation(`request ${id} was answered twice`);
    this.#asked.delete(id);
    tell(answer);
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const answer of this.#asked.values())
      answer.fail(new ActrError("unavailable", "it is cut off"));
    this.#asked.clear();
  }
}
