import type { EntryOutcome, GuestEntry, Invocation } from "../../../ports/guest_host.ts";

/** How an entry ended: the guest's own word, or what ended the guest. */
type Ending = { readonly outcome: EntryOutcome } | { readonly fault: Error };

/** One entry into a guest, from its begin to its end. */
export class Task {
  readonly entry: GuestEntry;
  readonly invocation: Invocation;
  /** Points that are left, while it does not run. */
  fuel: number;
  /** The guest's own words, which it finds again when it is called back. */
  readonly context: [number, number] = [0, 0];
  /** What the guest returned; the entry goes on until it exits. */
  outcome: EntryOutcome | undefined;
  #ending: Ending | undefined;
  #settle: ((ending: Ending) => void) | undefined;

  constructor(entry: GuestEntry, invocation: Invocation, fuel: number) {
    this.entry = entry;
    this.invocation = invocation;
    this.fuel = fuel;
  }

  /** Settles with its end; asked once. */
  ended(): Promise<EntryOutcome> {
    const ending = this.#ending;
    if (ending === undefined) return this.#later();
    return "fault" in ending ? Promise.reject(ending.fault) : Promise.resolve(ending.outcome);
  }

  end(ending: Ending): void {
    this.#ending = ending;
    this.#settle?.(ending);
  }

  #later(): Promise<EntryOutcome> {
    return new Promise((resolve, reject) => {
      this.#settle = (ending) => {
        if ("fault" in ending) reject(ending.fault);
        else resolve(ending.outcome);
      };
    });
  }
}
