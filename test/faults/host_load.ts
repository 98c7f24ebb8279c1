import { delay } from "#async";
import { ActrError } from "../../src/errors.ts";
import { HostClient, type HostSocket } from "./host_client.ts";
import { actorKeys, type Noted, type Totals } from "./host_protocol.ts";

/** Ways to have an entry counted; each ends with the sender knowing that it is, or will be. */
const ways = ["action", "alarm", "queue", "socket"] as const;
const sendersEach = 2;
/** One in so many actions is repeated once it is answered. */
const repeatEvery = 4;
const pauseMs = 25;
/** Time that alarms and messages have once everything is sent, milliseconds. */
const settleMs = 20_000;

/** What became of the entries of one actor. */
export interface Outcome {
  readonly lost: number;
  readonly twice: number;
  /** Whether its count is another than that of its entries. */
  readonly torn: boolean;
  readonly again: number;
}

/** Senders that load the actors of a node until told to stop, each trying again until it is answered. */
export class HostLoad {
  /** Entries that an actor answered for, by its key. */
  readonly #promised = new Map<string, Set<string>>(actorKeys.map((key) => [key, new Set()]));
  /** Repeated requests with another answer. */
  wrongAnswers = 0;
  /** Rejects when a sender fails, which ends it. */
  readonly failed: Promise<never>;
  readonly #client: HostClient;
  readonly #senders: readonly Promise<void>[];
  readonly #abandoned = new AbortController();
  #running = true;

  constructor(port: number) {
    this.#client = new HostClient(port, this.#abandoned.signal);
    this.#senders = ways.flatMap((way) =>
      Array.from({ length: sendersEach }, (_, n) => this.#sendAll(way, `${way}-${n}`)),
    );
    this.failed = new Promise((_, reject) => {
      for (const sender of this.#senders) sender.catch(reject);
    });
    // Nobody may be waiting for it.
    this.failed.catch(() => {});
  }

  /** Entries that were answered for. */
  get acknowledged(): number {
    return [...this.#promised.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** No new entries; resolves when everything sent has been answered. */
  async end(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#senders);
  }

  /** Ends all that is under way. Idempotent. */
  abandon(): void {
    this.#running = false;
    this.#abandoned.abort();
  }

  /** What every actor has come to, once its alarms and messages had their time. */
  async outcomes(): Promise<Outcome[]> {
    return await Promise.all(actorKeys.map((key) => this.#outcome(key)));
  }

  async #outcome(key: string): Promise<Outcome> {
    const promised = this.#promised.get(key) ?? new Set();
    const lastAt = performance.now() + settleMs;
    for (;;) {
      const counted = await this.#counted(key);
      const lost = [...promised].filter((entry) => !counted.has(entry)).length;
      if (lost > 0 && performance.now() < lastAt) {
        await delay(pauseMs);
        continue;
      }
      const times = [...counted.values()];
      const { count, again } = (await this.#ask(key, "totals", [])) as Totals;
      const twice = times.filter((each) => each > 1).length;
      return { lost, twice, torn: count !== times.reduce((sum, each) => sum + each, 0), again };
    }
  }

  /** How often each entry was counted. */
  async #counted(key: string): Promise<Map<string, number>> {
    const counted = new Map<string, number>();
    for (let after = ""; ; ) {
      const page = (await this.#ask(key, "entries", [after])) as { key: string; value: number }[];
      for (const each of page) counted.set(each.key, each.value);
      const last = page.at(-1);
      if (last === undefined) return counted;
      after = last.key;
    }
  }

  async #sendAll(way: (typeof ways)[number], name: string): Promise<void> {
    let socket: HostSocket | undefined;
    for (let n = 0; this.#running; n++) {
      const key = actorKeys[(way === "socket" ? 0 : n) % actorKeys.length] ?? "a";
      const entry = `${name}-${n}`;
      switch (way) {
        case "action":
          await this.#add(key, entry, n % repeatEvery === 0);
          break;
        case "alarm":
          await this.#ask(key, "later", [entry, (n * 37) % 300]);
          break;
        case "queue":
          await this.#again(() => this.#client.send(key, entry));
          break;
        case "socket":
          socket = await this.#addBySocket(key, entry, socket);
          break;
      }
      this.#promised.get(key)?.add(entry);
      await delay(1);
    }
    socket?.close();
  }

  /** A repeat of an answered request gets the same answer, also from the process that came after. */
  async #add(key: string, entry: string, repeats: boolean): Promise<void> {
    const { times, position } = (await this.#ask(key, "add", [entry])) as Noted;
    if (times !== 1) this.wrongAnswers += 1;
    if (!repeats) return;
    const second = (await this.#ask(key, "add", [entry])) as Noted;
    if (second.times !== times || second.position !== position) this.wrongAnswers += 1;
  }

  /** Sends on the connection that there is; when it ends, on the next. What is heard on it has happened. */
  #addBySocket(key: string, entry: string, socket: HostSocket | undefined): Promise<HostSocket> {
    let current = socket;
    return this.#again(async () => {
      const heard = (noted: string): void => void this.#promised.get(key)?.add(noted);
      current ??= await this.#client.connect(key, heard);
      try {
        await current.act("addOnce", [entry]);
        return current;
      } catch (error) {
        current.close();
        current = undefined;
        throw error;
      }
    });
  }

  /** The same arguments are the same request. */
  #ask(key: string, action: string, args: readonly unknown[]): Promise<unknown> {
    const isRead = action === "entries" || action === "totals";
    const once = isRead ? crypto.randomUUID() : `${action}-${key}-${args[0]}`;
    return this.#again(() => this.#client.act(key, action, args, once));
  }

  /** Until it succeeds: the node is killed all the time. */
  async #again<T>(send: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await send();
      } catch (error) {
        this.#abandoned.signal.throwIfAborted();
        if (!ActrError.is(error)) throw error;
        await delay(pauseMs);
      }
    }
  }
}
