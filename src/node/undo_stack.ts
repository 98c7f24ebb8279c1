import type { Logger } from "../ports/logger.ts";

/** What has been started and must be undone, in reverse, when starting fails. */
export class UndoStack {
  readonly #steps: { readonly name: string; readonly undo: () => void | Promise<void> }[] = [];
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  push(name: string, undo: () => void | Promise<void>): void {
    this.#steps.push({ name, undo });
  }

  /** Undoes everything, newest first; a step that fails is logged and does not stop the others. */
  async unwind(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        this.#log.error("node.undo_failed", { step: step.name, error });
      }
    }
  }
}
