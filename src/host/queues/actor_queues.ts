import type {
  ActorQueues,
  ActorShape,
  AwaitOptions,
  IterateOptions,
  MessageIn,
  QueueMessage,
  QueueOutcome,
  QueueSendOptions,
  ReceiveOptions,
} from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Instance } from "../instance.ts";
import type { ReceiveScope } from "./actor_messages.ts";
import { sendAndWait } from "./awaited_send.ts";

/** The queues of an actor as one part of its code sees them: whatever ends that part ends its waits. */
export class ScopedQueues implements ActorQueues {
  readonly #instance: Instance;
  readonly #scope: ReceiveScope;

  constructor(instance: Instance, scope: ReceiveScope) {
    this.#instance = instance;
    this.#scope = scope;
  }

  send(name: string, body: unknown, options?: QueueSendOptions): void {
    this.#instance.queues.send(name, body, options);
  }

  async sendAndWait<Completion>(
    name: string,
    body: unknown,
    options: AwaitOptions = {},
  ): Promise<QueueOutcome<Completion>> {
    const { signal } = this.#scope;
    const outcome = await sendAndWait(this.#instance, name, body, options, signal);
    return outcome as QueueOutcome<Completion>;
  }

  async next<Name extends string>(
    options?: Omit<ReceiveOptions<Name>, "count">,
  ): Promise<MessageIn<ActorShape, Name> | undefined> {
    const [message] = await this.nextBatch({ ...options, count: 1 });
    return message;
  }

  async nextBatch<Name extends string>(
    options: ReceiveOptions<Name> = {},
  ): Promise<readonly MessageIn<ActorShape, Name>[]> {
    const messages: readonly QueueMessage[] = await this.#instance.queues.receive(
      options,
      this.#scope,
    );
    // The names were asked for, so that the messages are of these queues.
    return messages as readonly MessageIn<ActorShape, Name>[];
  }

  async *iterate<Name extends string>(
    options?: IterateOptions<Name>,
  ): AsyncGenerator<MessageIn<ActorShape, Name>, void> {
    for (;;) {
      const message = await this.next(options).catch(endOfWait);
      if (message === undefined) return;
      yield message;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<MessageIn<ActorShape, string>, void> {
    return this.iterate();
  }
}

function endOfWait(error: unknown): undefined {
  if (!ActrError.is(error) || error.code !== "actor.aborted") throw error;
}
