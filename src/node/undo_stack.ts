import { abortable } from "#async";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { abortAfter } from "../time_limit.ts";

/** What has been started and has to be undone, in reverse, when the start fails or all of it stops. */
export class UndoStack {
  readonly #components: { readonly clock: Clock; readonly log: Logger };
  readonly #timeoutMs: number;
  readonly #steps: { readonly name: string; readonly undo: () => void | Promise<void> }[] = [];

  /** @param timeoutMs one deadline for everything together. */
  constructor(
    components: { readonly clock: Clock; readonly log: Logger },
    { timeoutMs }: { readonly timeoutMs: number },
  ) {
    this.#components = components;
    this.#timeoutMs = timeoutMs;
  }

  push(name: string, undo: () => void | Promise<void>): void {
    this.#steps.push({ name, undo });
  }

  /**
   * Undoes everything, newest first. A step that fails is logged and does not stop the others; once the
   * time is up, or `signal` aborts, the rest is begun all the same, but no longer waited for. Never rejects.
   */
  async unwind(signal?: AbortSignal): Promise<void> {
    const limit = abortAfter(this.#components.clock, this.#timeoutMs, signal, "undoing");
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await abortable(begin(step.undo), limit.signal);
      } catch (error) {
        this.#components.log.error("node.undo_failed", { step: step.name, error });
      }
    }
    limit.cancel();
  }
}

/** Also what throws at once becomes a promise. */
async function begin(undo: () => void | Promise<void>): Promise<void> {
  await undo();
}
