import { ActrError } from "../../errors.ts";
import type { EntryKind } from "./history.ts";
import type { Journal } from "./journal.ts";
import type { EntryRow, Place } from "./rows.ts";

/** What the code comes to next. */
export interface Wanted extends Partial<EntryRow> {
  readonly kind: EntryKind;
  readonly name: string;
  /** Names that it had. */
  readonly was?: readonly string[] | undefined;
}

const maxNameLength = 128;

/**
 * One place of a history beside the code that made it: every entry that the code comes to must be the next one there,
 * until there are no more.
 */
export class Cursor {
  readonly #journal: Journal;
  readonly #place: Place;
  readonly #names = new Set<string>();
  #next = 0;

  constructor(journal: Journal, place: Place) {
    this.#journal = journal;
    this.#place = place;
  }

  /** Whether the code is where the history ends. */
  get isAtEnd(): boolean {
    return this.#peek() === undefined;
  }

  /** The entry that the code comes to. @throws TypeError for a name that is used twice, or none; ActrError `workflow.diverged`. */
  find(wanted: Wanted): EntryRow | undefined {
    this.#requireName(wanted.name);
    const row = this.#peek();
    if (row === undefined) return undefined;
    if (!isMeant(row, wanted)) throw diverged(describe(row), describe(wanted));
    this.#next += 1;
    return row;
  }

  /** Adds an entry where the history ends. @throws ActrError `workflow.too_large`. */
  add({ was: _, ...init }: Wanted): EntryRow {
    const row = this.#journal.add({ ...init, ...this.#place });
    this.#next += 1;
    return row;
  }

  /** An entry that earlier code had here, if the history has it; passed over. */
  skip({ kind, name }: Pick<Wanted, "kind" | "name">): EntryRow | undefined {
    const row = this.#peek();
    if (row === undefined || !isMeant(row, { kind, name })) return undefined;
    this.#next += 1;
    return row;
  }

  /** The code has ended. @throws ActrError `workflow.diverged` when the history has not. */
  requireEnd(): void {
    const row = this.#peek();
    if (row !== undefined) throw diverged(describe(row), "the end");
  }

  /** The next entry; what was marked as removed is passed over. */
  #peek(): EntryRow | undefined {
    for (;;) {
      const row = this.#journal.nth(this.#place, this.#next);
      if (row?.kind !== "removed") return row;
      this.#next += 1;
    }
  }

  #requireName(name: string): void {
    if (name.length === 0 || name.length > maxNameLength) {
      throw new TypeError(
        `an entry's name has 1 to ${maxNameLength} characters, not ${name.length}`,
      );
    }
    if (this.#names.has(name)) {
      throw new TypeError(`two entries are named "${name}" here; each needs a name of its own`);
    }
    this.#names.add(name);
  }
}

function isMeant(row: EntryRow, { kind, name, was = [] }: Wanted): boolean {
  return row.kind === kind && (row.name === name || was.includes(row.name));
}

function describe({ kind, name }: Pick<Wanted, "kind" | "name">): string {
  return `${kind} "${name}"`;
}

function diverged(expected: string, found: string): ActrError {
  const message = `the history has ${expected} where the code has ${found}; mark what is gone with removed(), what is renamed with \`was\``;
  return new ActrError("workflow.diverged", message, { details: { expected, found } });
}
