/** Who an error or an answer is of. */
export interface ActorSpecifier {
  readonly actorId: string;
  readonly generation: number;
  /** Serialised. */
  readonly key?: string;
}

/** An error, as clients of actors get it (`spec/actor-client.md` §9). */
export interface ErrorBody {
  readonly group: string;
  readonly code: string;
  readonly message: string;
  readonly metadata?: unknown;
  readonly actor?: ActorSpecifier;
}

/** A message that is put into a queue. */
export interface QueueSend {
  readonly body: unknown;
  readonly wait: boolean;
  readonly timeoutMs: number | undefined;
}

/** What becomes of a message that somebody waits for. */
export interface QueueResult {
  readonly status: "completed" | "timedOut";
  readonly response?: unknown;
}

/** What a connected client sends (`spec/actor-client.md` §6). */
export type ToServer =
  | {
      readonly tag: "ActionRequest";
      readonly id: bigint;
      readonly name: string;
      readonly args: readonly unknown[];
    }
  | {
      readonly tag: "SubscriptionRequest";
      readonly eventName: string;
      readonly subscribe: boolean;
    };

/** One message of a WebSocket: text in `json`, bytes in the others. */
export type ActorFrame = string | Uint8Array<ArrayBuffer>;

/** One encoding of everything between a client and an actor: HTTP bodies, and frames of a connection. Readers throw ActrError `decode_failure`. */
export interface ActorCodec {
  readonly encoding: "json" | "cbor" | "bare";
  /** Of HTTP bodies, both ways. */
  readonly contentType: string;
  readActionRequest(body: Uint8Array): readonly unknown[];
  actionResponse(output: unknown): Uint8Array<ArrayBuffer>;
  readQueueSend(body: Uint8Array): QueueSend;
  queueResult(result: QueueResult): Uint8Array<ArrayBuffer>;
  error(error: ErrorBody): Uint8Array<ArrayBuffer>;
  readFrame(frame: ActorFrame): ToServer;
  init(actorId: string, connectionId: string): ActorFrame;
  /** @param actionId whom it answers; null for an error of the connection. */
  errorFrame(error: ErrorBody, actionId: bigint | null): ActorFrame;
  outputFrame(id: bigint, output: unknown): ActorFrame;
  event(name: string, args: readonly unknown[]): ActorFrame;
}
