import type { EntryOutcome, GuestError, HostCall } from "../../ports/guest_host.ts";
import { parseError } from "./answer_text.ts";
import type { Budget } from "./budget.ts";
import { MalformedCall, parseCall } from "./call_text.ts";
import type { ScriptCalls } from "./natives.ts";

/** Most calls of a guest that wait for the node, and lines of log that wait to be written. */
const mostAsked = 1_024;

const tooMuch: GuestError = {
  code: "unavailable",
  message: "too much waits for the node already: wait for answers before asking more",
};

/** One entry into the guest. */
export interface OpenEntry {
  readonly number: number;
  readonly token: bigint;
  readonly budget: Budget;
  resolve(outcome: EntryOutcome): void;
  reject(fault: unknown): void;
}

/** What the guest asked, or why it is not asked of the node. */
export interface Asked {
  /** Who pays for what the answer causes. */
  readonly entry: OpenEntry;
  /** What the guest knows it by; 0 when it waits for no answer. */
  readonly number: number;
  readonly bytes: number;
  readonly call: HostCall | { readonly refused: GuestError };
}

/** The entries that a guest works for, and what it asked meanwhile. */
export class ScriptEntries implements ScriptCalls {
  readonly #mostBytes: number;
  readonly #live = new Map<number, OpenEntry>();
  /** Those that ended since the guest began to run: how they ended counts when the guest stayed within its limits. */
  readonly #done = new Map<number, EntryOutcome>();
  readonly #asked: Asked[] = [];
  #last = 0;
  #waiting = 0;
  #bytes = 0;
  /** The entry that runs, or ran last. */
  current: OpenEntry | undefined;

  /** Texts and payloads of calls that wait for the node have `mostBytes` together at most. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  open({ token, budget, resolve, reject }: Omit<OpenEntry, "number">): OpenEntry {
    this.#last += 1;
    const live = { number: this.#last, token, budget, resolve, reject };
    this.#live.set(live.number, live);
    return live;
  }

  /** The next thing that the node is to be asked. */
  next(): Asked | undefined {
    return this.#asked.shift();
  }

  /** It was answered. */
  answered({ bytes }: Asked): void {
    this.#waiting -= 1;
    this.#bytes -= bytes;
  }

  /** The guest ran within its limits: what it ended is ended. */
  settle(): void {
    for (const [number, outcome] of this.#done) {
      this.#live.get(number)?.resolve(outcome);
      this.#live.delete(number);
    }
    this.#done.clear();
  }

  /** Fails all that is in flight: the entry that is at fault with the fault itself. */
  end(fault: unknown, others: unknown): void {
    for (const entry of this.#live.values()) {
      entry.reject(entry === this.current ? fault : others);
    }
    this.#live.clear();
    this.#asked.length = 0;
  }

  reply(number: number, bytes: Uint8Array<ArrayBuffer> | undefined): void {
    this.#done.set(number, { ok: bytes });
  }

  fail(number: number, error: string): void {
    this.#done.set(number, { error: parseError(error) });
  }

  ask(number: number, what: string, payload: Uint8Array<ArrayBuffer> | undefined): void {
    const bytes = what.length + (payload?.length ?? 0);
    const fits = this.#waiting < mostAsked && this.#bytes + bytes <= this.#mostBytes;
    if (fits) this.#ask(number, bytes, callOf(what, payload));
    else if (number !== 0) this.#ask(number, 0, { refused: tooMuch });
  }

  log(level: string, message: string): void {
    const token = this.current?.token;
    if (token === undefined || this.#waiting >= mostAsked) return;
    this.#ask(0, 0, { name: "log-message", token, level, message });
  }

  #ask(number: number, bytes: number, call: Asked["call"]): void {
    if (this.current === undefined) return;
    this.#waiting += 1;
    this.#bytes += bytes;
    this.#asked.push({ entry: this.current, number, bytes, call });
  }
}

function callOf(what: string, payload: Uint8Array<ArrayBuffer> | undefined): Asked["call"] {
  try {
    return parseCall(what, payload);
  } catch (error) {
    if (!(error instanceof MalformedCall)) throw error;
    return { refused: { code: "invalid_argument", message: error.message } };
  }
}
