/** Called when a message that somebody waits for is completed. */
export type OnComplete = (response: unknown) => void;

/**
 * Senders that wait for the completion of their messages, over all actors of a node: an actor may fall asleep, or start
 * anew, before a message is completed.
 */
export class Completions {
  readonly #waiting = new Map<string, OnComplete>();

  /** @returns ends the wait. */
  wait(actorId: string, seq: number, onComplete: OnComplete): () => void {
    const key = `${actorId}:${seq}`;
    this.#waiting.set(key, onComplete);
    return () => this.#waiting.delete(key);
  }

  /** Whether somebody waits for a message. */
  has(actorId: string, seq: number): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(`${actorId}:${seq}`);
  }

  /** A message is completed, and that is on disk. */
  tell(actorId: string, seq: number, response: unknown): void {
    this.#waiting.get(`${actorId}:${seq}`)?.(response);
  }
}
