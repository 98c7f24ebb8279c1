import type { ActorShape, CompletionOf, MessageOf } from "./shape.ts";

/** One message of a queue, as its actor receives it. */
export interface QueueMessage<
  Message = unknown,
  Completion = unknown,
  Name extends string = string,
> {
  readonly id: string;
  readonly queue: Name;
  readonly body: Message;
  /** Unix milliseconds. */
  readonly sentAt: number;
  /** How often it was handed out, this time included. */
  readonly attempt: number;
  /**
   * Done: it is deleted, and who waits for it gets `response`.
   * @throws ActrError `queue.already_completed`; `queue.timed_out` when it was handed out again, or is about to be;
   * `queue.complete_not_configured` when it was deleted on receipt; `queue.invalid_completion_payload`.
   */
  complete(response?: Completion): Promise<void>;
  /**
   * Gives it back, to be handed out again after a pause; a dead letter after too many attempts.
   * @throws ActrError as {@link QueueMessage.complete}.
   */
  retry(options?: { readonly delayMs?: number }): Promise<void>;
}

/** Names of the queues of an actor. */
export type QueueNameOf<Shape extends ActorShape> = keyof Shape["queues"] & string;

/** A message of one of these queues; which one, its `queue` tells. */
export type MessageIn<Shape extends ActorShape, Name extends QueueNameOf<Shape>> = {
  readonly [Each in Name]: QueueMessage<
    MessageOf<Shape["queues"][Each]>,
    CompletionOf<Shape["queues"][Each]>,
    Each
  >;
}[Name];

/** How messages are received one after another. */
export interface IterateOptions<Name extends string = string> {
  /** Queues to receive from. @default all */
  readonly names?: readonly Name[];
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /**
   * Keeps messages until they are completed, each attempt being counted on disk before the message is seen; otherwise
   * they are deleted when they are received, in one commit with what the turn changes. @default false
   */
  readonly completable?: boolean;
}

/** How messages are received. */
export interface ReceiveOptions<Name extends string = string> extends IterateOptions<Name> {
  /** Resolves with nothing after so long; 0 does not wait. Milliseconds. @default waits */
  readonly timeoutMs?: number;
  /** Of a batch: at most so many. @default 1 */
  readonly count?: number;
}

/** How a message is sent. */
export interface QueueSendOptions {
  /** It is handed out no earlier than this from now, milliseconds. @default 0 */
  readonly delayMs?: number;
}

/** How the completion of a message is waited for. */
export interface AwaitOptions extends QueueSendOptions {
  /** Milliseconds. @default the actor's actionTimeoutMs */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What became of a message that its sender waited for. */
export type QueueOutcome<Completion = unknown> =
  | { readonly status: "completed"; readonly response: Completion }
  | { readonly status: "timedOut" };

/** Queues of one actor: durable, bounded, first in first out by name. */
export interface ActorQueues<Shape extends ActorShape = ActorShape> {
  /**
   * Puts a message in; committed with the turn.
   * @throws ActrError `queue.full`, `queue.message_too_large`, `queue.not_found`, `queue.invalid_payload`.
   */
  send<Name extends QueueNameOf<Shape>>(
    name: Name,
    body: MessageOf<Shape["queues"][Name]>,
    options?: QueueSendOptions,
  ): void;
  /** Puts a message in and waits until it is completed. @throws as {@link ActorQueues.send}; ActrError `actor.aborted`. */
  sendAndWait<Name extends QueueNameOf<Shape>>(
    name: Name,
    body: MessageOf<Shape["queues"][Name]>,
    options?: AwaitOptions,
  ): Promise<QueueOutcome<CompletionOf<Shape["queues"][Name]>>>;
  /**
   * The next message; undefined after `timeoutMs`.
   * @throws ActrError `actor.aborted` when the actor stops, the action's time is up, or `signal` is aborted;
   * `queue.not_found`; `queue.previous_message_not_completed` when every queue has handed out its `maxUncompleted`.
   */
  next<Name extends QueueNameOf<Shape> = QueueNameOf<Shape>>(
    options?: Omit<ReceiveOptions<Name>, "count">,
  ): Promise<MessageIn<Shape, Name> | undefined>;
  /** The next messages, at least one; none after `timeoutMs`. @throws as {@link ActorQueues.next}. */
  nextBatch<Name extends QueueNameOf<Shape> = QueueNameOf<Shape>>(
    options?: ReceiveOptions<Name>,
  ): Promise<readonly MessageIn<Shape, Name>[]>;
  /** Messages as they come, until the actor stops or `signal` is aborted. */
  iterate<Name extends QueueNameOf<Shape> = QueueNameOf<Shape>>(
    options?: IterateOptions<Name>,
  ): AsyncIterableIterator<MessageIn<Shape, Name>>;
  /** As {@link ActorQueues.iterate} of all queues. */
  [Symbol.asyncIterator](): AsyncIterableIterator<MessageIn<Shape, QueueNameOf<Shape>>>;
}
