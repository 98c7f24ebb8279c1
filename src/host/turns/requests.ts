import { ActrError, type ErrorCode } from "../../errors.ts";
import type { RecordEntry, StoreChange } from "../../ports/store.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { actorSpace } from "../contents.ts";
import type { Instance } from "../instance.ts";
import type { ActionCommand, Answer } from "./command.ts";

/** What became of a request, as it is stored. */
interface RequestRow {
  /** Unix milliseconds. */
  readonly at: number;
  readonly output?: unknown;
  readonly failure?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly details: unknown;
  };
}

/** Longest name of a request that is remembered, UTF-16 units. */
const maxNameLength = 512;

const prefix = "r:";

/**
 * Requests of other nodes that this actor has handled, or handles: a repeat of one, whichever way it comes and also after
 * a crash, is answered with what the first came to. What a request has changed, and its answer, are one commit; one that
 * changed nothing is not remembered.
 */
export class Requests {
  readonly #instance: Instance;
  /** When each was answered, Unix milliseconds; the oldest first. */
  readonly #answered = new Map<string, number>();
  /** Those that go on, with the repeats that wait for them. */
  readonly #running = new Map<string, ActionCommand[]>();

  constructor(instance: Instance) {
    this.#instance = instance;
  }

  /** Takes what is stored. */
  restore(rows: readonly RecordEntry[]): void {
    const known = rows.map(({ key, value }) => {
      const { at } = decodeCbor(value) as RequestRow;
      return [key.slice(prefix.length), at] as const;
    });
    for (const [name, at] of known.sort(([, a], [, b]) => a - b)) this.#answered.set(name, at);
  }

  /** The command to run for a request of this name; undefined when it is a repeat, which is answered as the first one. */
  admit(name: string, command: ActionCommand): ActionCommand | undefined {
    if (name.length > maxNameLength) return command;
    const repeats = this.#running.get(name);
    if (repeats !== undefined) return void repeats.push(command);
    if (this.#answered.has(name)) return void this.#repeat(name, command);
    return this.#watched(name, command);
  }

  #watched(name: string, command: ActionCommand): ActionCommand {
    const { saving, components } = this.#instance;
    const repeats: ActionCommand[] = [];
    let saves = 0;
    let begun = false;
    let late = false;
    let output: unknown;
    this.#running.set(name, repeats);
    const answer: Answer = {
      take: (value) => {
        const hand = command.answer.take(value);
        output = value;
        return () => {
          hand();
          this.#release(repeats);
        };
      },
      fail: (error) => {
        command.answer.fail(error);
        // One that only took too long may still come to something.
        late = begun && error.code === "actor.action_timed_out";
        if (late) return;
        this.#running.delete(name);
        this.#release(repeats);
      },
    };
    return {
      ...command,
      answer,
      begins: () => {
        begun = true;
        ({ saves } = saving);
        command.begins?.();
      },
      settle: (failure) => {
        this.#running.delete(name);
        if (saving.isDue || saving.saves !== saves) this.#remember(name, failure, output);
        command.settle?.(failure);
        output = undefined;
        // Its answer will not be handed over; by then it is saved.
        if (late) components.clock.defer(() => this.#release(repeats));
      },
    };
  }

  /** What waited for the first is looked at anew: now that is known. */
  #release(repeats: ActionCommand[]): void {
    for (const repeat of repeats.splice(0)) this.#instance.act(repeat);
  }

  #remember(name: string, failure: ActrError | undefined, output: unknown): void {
    // A failure that may pass is not what a repeat wants to hear.
    if (failure?.retryable === true) return;
    const { saving, components, id } = this.#instance;
    const at = components.clock.now();
    const what = failure === undefined ? { output } : { failure: failureRow(failure) };
    const row = { at, ...what };
    const space = actorSpace(id);
    const changes: StoreChange[] = this.#outdated(at).map((old) => {
      this.#answered.delete(old);
      return { kind: "record.delete", space, key: prefix + old };
    });
    this.#answered.set(name, at);
    saving.add(...changes, {
      kind: "record.put",
      space,
      key: prefix + name,
      value: encodeCbor(row satisfies RequestRow),
    });
  }

  /** Names that make room for one more. */
  #outdated(now: number): string[] {
    const { maxRequestsKept, requestsKeptMs } = this.#instance.kind.options;
    const names: string[] = [];
    for (const [name, at] of this.#answered) {
      const isRoom = this.#answered.size - names.length < maxRequestsKept;
      if (isRoom && at > now - requestsKeptMs) break;
      names.push(name);
    }
    return names;
  }

  async #repeat(name: string, { answer }: ActionCommand): Promise<void> {
    const { components, id, gate } = this.#instance;
    try {
      const value = await components.store.record(actorSpace(id), prefix + name);
      // It was forgotten a moment ago.
      if (value === undefined) throw new ActrError("actor.restarting", `request ${name} is gone`);
      const { failure, output } = decodeCbor(value) as RequestRow;
      await gate.flushed();
      if (failure === undefined) answer.take(output)();
      else answer.fail(new ActrError(failure.code, failure.message, detailsOf(failure.details)));
    } catch (error) {
      answer.fail(ActrError.from(error));
    }
  }
}

function failureRow({ code, message, details }: ActrError): NonNullable<RequestRow["failure"]> {
  return { code, message, details: details === undefined ? undefined : jsonOf(details) };
}

/** Details survive JSON; whatever else they hold is left out. */
function jsonOf(details: unknown): string | undefined {
  try {
    return JSON.stringify(details);
  } catch {
    return undefined;
  }
}

function detailsOf(details: unknown): { readonly details?: Readonly<Record<string, unknown>> } {
  return typeof details === "string" ? { details: JSON.parse(details) } : {};
}
