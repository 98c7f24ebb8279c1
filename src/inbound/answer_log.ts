import type { Store, StoreChange } from "../ports/store.ts";
import type { AnswerMemory } from "./answer_memory.ts";

/** Answers read at once. */
const pageSize = 1024;
/** Every so many puts, older answers are deleted… */
const putsPerForget = 64;
/** …so many of them: what is to be deleted becomes less, and no commit waits long for it. */
const forgetStep = 2 * putsPerForget;

/** The change that stores an answer. */
export type AnswerPut = Extract<StoreChange, { readonly kind: "answer.put" }>;

/**
 * The stored side of an {@link AnswerMemory}: answers are appended under ascending numbers and deleted from the oldest
 * on, once the memory has forgotten them. Nothing is looked up in the store but at the start.
 */
export class AnswerLog {
  readonly #answers: AnswerMemory;
  #lastSeq = 0;
  /** Answers up to this number are deleted. */
  #deletedSeq = 0;
  /** Answers up to this number are to be deleted. */
  #dueSeq = 0;

  constructor(answers: AnswerMemory) {
    this.#answers = answers;
  }

  /** Brings back what earlier processes remembered. @throws ActrError `storage`. */
  async load(store: Store): Promise<void> {
    for (;;) {
      const page = await store.answers(this.#lastSeq, pageSize);
      // The numbers of a long life: nothing below the first one is there to be deleted.
      if (this.#lastSeq === 0) this.#deletedSeq = (page[0]?.seq ?? 1) - 1;
      for (const { seq, caller, requestId, response, expiresAt } of page) {
        this.#answers.add(caller, requestId, response, seq, expiresAt);
        this.#lastSeq = seq;
      }
      if (page.length < pageSize) return;
    }
  }

  /** The change that stores an answer. */
  append(caller: string, requestId: string, response: Uint8Array, expiresAt: number): AnswerPut {
    const seq = ++this.#lastSeq;
    return { kind: "answer.put", answer: { seq, caller, requestId, response, expiresAt } };
  }

  /** The change that deletes older answers, if it is time for that once `seq` is put. */
  outdated(seq: number): StoreChange | undefined {
    if (seq % putsPerForget !== 0 || !this.#step()) return undefined;
    return { kind: "answer.forget", through: this.#deletedSeq };
  }

  /** Changes that delete, a page at a time, what is left of the answers that the memory has forgotten. */
  *deletions(): Generator<StoreChange> {
    const { forgottenSeq } = this.#answers;
    while (this.#deletedSeq < forgottenSeq) {
      const through = Math.min(forgottenSeq, this.#deletedSeq + pageSize);
      yield { kind: "answer.forget", through };
      this.#deletedSeq = Math.max(this.#deletedSeq, through);
    }
  }

  /** Whether there is something to delete, which `#deletedSeq` then says. */
  #step(): boolean {
    const { forgottenSeq } = this.#answers;
    if (this.#deletedSeq >= forgottenSeq) return false;
    // What should have gone before more became due goes at once: the store stays within the memory's caps and a half.
    const overdue = forgottenSeq > this.#dueSeq ? this.#dueSeq : 0;
    this.#dueSeq = forgottenSeq;
    this.#deletedSeq = Math.max(overdue, Math.min(forgottenSeq, this.#deletedSeq + forgetStep));
    return true;
  }
}
