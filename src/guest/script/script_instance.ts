import type {
  EntryOutcome,
  GuestEntry,
  GuestInstance,
  HostAnswer,
  HostCalls,
  Invocation,
} from "../../ports/guest_host.ts";
import { guestFault } from "../fault.ts";
import { toGuestError } from "../guest_error.ts";
import { answerValue, errorText } from "./answer_text.ts";
import type { Budget } from "./budget.ts";
import { entryText, payloadOf } from "./entry_text.ts";
import type { Interpreter } from "./interpreter.ts";
import type { Asked, OpenEntry, ScriptEntries } from "./script_entries.ts";

/** A script that runs. What it asks of the node is asked when it waits, so that no code of the node runs inside it. */
export class ScriptInstance implements GuestInstance {
  readonly #entries: ScriptEntries;
  readonly #calls: HostCalls;
  readonly #budget: () => Budget;
  #interpreter: Interpreter | undefined;
  #ended: unknown;
  /** Whether what the guest asked is passed on already, further up. */
  #asking = false;

  constructor(
    interpreter: Interpreter,
    entries: ScriptEntries,
    calls: HostCalls,
    budget: () => Budget,
  ) {
    this.#interpreter = interpreter;
    this.#entries = entries;
    this.#calls = calls;
    this.#budget = budget;
  }

  get memoryBytes(): number {
    return this.#interpreter?.memoryBytes ?? 0;
  }

  enter(entry: GuestEntry, invocation: Invocation): Promise<EntryOutcome> {
    if (this.#interpreter === undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const { token } = invocation;
      const live = this.#entries.open({ token, budget: this.#budget(), resolve, reject });
      this.#run(live, (interpreter) => {
        const text = entryText(entry, invocation);
        interpreter.enter(live.number, text, payloadOf(entry), live.budget);
      });
    });
  }

  discard(): void {
    const discarded = guestFault("discarded", "the guest's instance was discarded");
    this.#end(discarded, discarded);
  }

  /** Lets the guest run for an entry until it waits, and asks what it asked. */
  #run(entry: OpenEntry, work: (interpreter: Interpreter) => void): void {
    if (this.#interpreter === undefined) return;
    this.#entries.current = entry;
    try {
      work(this.#interpreter);
    } catch (fault) {
      const others = guestFault("discarded", "another entry ended the guest's instance", fault);
      return this.#end(fault, others);
    }
    this.#entries.settle();
    this.#askNode();
  }

  #askNode(): void {
    if (this.#asking) return;
    this.#asking = true;
    try {
      for (let asked = this.#entries.next(); asked !== undefined; asked = this.#entries.next()) {
        this.#askOne(asked);
      }
    } finally {
      this.#asking = false;
    }
  }

  #askOne(asked: Asked): void {
    const { call } = asked;
    const answer = "refused" in call ? { error: call.refused } : this.#calls(call);
    if (!(answer instanceof Promise)) return this.#answer(asked, answer);
    answer.then(
      (late) => this.#answer(asked, late),
      (failure) => this.#answer(asked, { error: toGuestError(failure) }),
    );
  }

  #answer(asked: Asked, answer: HostAnswer): void {
    const { entry, number } = asked;
    this.#entries.answered(asked);
    if (number === 0) return;
    this.#run(entry, (interpreter) =>
      interpreter.answer(number, errorText(answer), answerValue(answer), entry.budget),
    );
  }

  #end(fault: unknown, others: unknown): void {
    if (this.#interpreter === undefined) return;
    this.#interpreter = undefined;
    this.#ended = others;
    this.#entries.end(fault, others);
  }
}
