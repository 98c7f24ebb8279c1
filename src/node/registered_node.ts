import type { ActrId } from "../protocol/ids.ts";
import type { Node } from "./node.ts";
import type { UndoStack } from "./undo_stack.ts";
import { WayOn } from "./way_on.ts";

/** A node that has its identity and does nothing with it yet. Disposing it before it runs gives it up. */
export class RegisteredNode implements AsyncDisposable {
  readonly #node: Node;
  readonly #undo: UndoStack;
  readonly #begin: (signal: AbortSignal) => Promise<void>;
  readonly #wayOn = new WayOn("start");

  /** Made by {@link Node.register}. */
  constructor(node: Node, undo: UndoStack, begin: (signal: AbortSignal) => Promise<void>) {
    this.#node = node;
    this.#undo = undo;
    this.#begin = begin;
  }

  get id(): ActrId {
    return this.#node.id;
  }

  /**
   * Starts the node; this may be asked for once.
   * @throws ActrError as {@link Node.start}, then nothing is left running; TypeError when it was started or given up before.
   */
  start({ signal }: { readonly signal?: AbortSignal } = {}): Promise<Node> {
    return this.#wayOn.take(signal, async (limit) => {
      try {
        await this.#begin(limit);
        return this.#node;
      } catch (error) {
        await this.#undo.unwind();
        throw error;
      }
    });
  }

  /** Gives the node up, also while it starts; a node that runs is left alone. Idempotent; never rejects. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#wayOn.giveUp(() => this.#undo.unwind());
  }
}
