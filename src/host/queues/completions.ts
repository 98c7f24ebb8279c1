import { ActrError } from "../../errors.ts";

/** Somebody who waits for the completion of a message. */
export interface CompletionWait {
  /** The message is completed. */
  complete(response: unknown): void;
  /** It will not be told here. */
  fail(error: ActrError): void;
}

interface Waiting {
  readonly actorId: string;
  readonly wait: CompletionWait;
}

/**
 * Senders that wait for the completion of their messages, over all actors of a node: an actor may fall asleep, or start
 * anew, before a message is completed.
 */
export class Completions {
  readonly #waiting = new Map<string, Waiting>();

  /** @returns ends the wait. */
  wait(actorId: string, seq: number, wait: CompletionWait): () => void {
    const key = `${actorId}:${seq}`;
    this.#waiting.set(key, { actorId, wait });
    return () => this.#waiting.delete(key);
  }

  /** Whether somebody waits for a message. */
  has(actorId: string, seq: number): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(`${actorId}:${seq}`);
  }

  /** A message is completed, and that is on disk. */
  tell(actorId: string, seq: number, response: unknown): void {
    this.#waiting.get(`${actorId}:${seq}`)?.wait.complete(response);
  }

  /** Ends the waits for messages of actors that are not here any more. Nobody is to send such a message again: it may be kept. */
  end(isGone: (actorId: string) => boolean, why: string): void {
    for (const [key, { actorId, wait }] of [...this.#waiting]) {
      if (!isGone(actorId)) continue;
      this.#waiting.delete(key);
      wait.fail(new ActrError("actor.aborted", `nobody waits for the message any more: ${why}`));
    }
  }
}
