import { ActrError } from "../../errors.ts";
import type { ToServer } from "../../protocol/actors/messages.ts";
import type { Instance } from "../instance.ts";
import type { Answer } from "../turns/command.ts";
import { ClientInbox } from "./client_inbox.ts";
import type { ActorConnection } from "./connection.ts";

/** How events are written for a client. */
export interface EventCodec {
  event(name: string, args: readonly unknown[]): string | Uint8Array;
}

/** The client's end of a connection. */
export interface ClientSink {
  readonly codec: EventCodec;
  /** It is connected, and that is on disk; what is sent before waits for this. */
  opened(conn: ActorConnection, instance: Instance): void;
  send(frame: string | Uint8Array): void;
  /** Who waits for the answer to its action of this number. */
  answerTo(id: bigint, instance: Instance): Answer;
  /** Tells of an error that answers nothing. */
  fail(error: ActrError): void;
  /** Asks whether the client still lives, and ends it when it does not; called from time to time. */
  probe(): void;
  /** Ends it; does nothing when it has ended. */
  close(reason: string): void;
}

/** What wakes the actor of a client. */
export interface ClientHost {
  wake(target: { readonly id: string }): Promise<Instance>;
}

/** Where a client is connected, while its actor is in memory. */
interface Place {
  readonly instance: Instance;
  readonly conn: ActorConnection;
}

/**
 * One client, whose connection outlives the sleep of its actor. What it sends meanwhile wakes the actor, which takes it
 * in order once it has started; what reaches an actor that stops waits for its next start (`spec/actor-host.md` §12.2).
 */
export class Client {
  readonly sink: ClientSink;
  readonly #host: ClientHost;
  readonly #inbox = new ClientInbox();
  #actorId = "";
  /** Ends its entry among the node's clients. */
  #unlist: () => void = () => {};
  #place: Place | undefined;
  /** Whether the answer about a subscription is awaited: what comes after it may depend on it. */
  #isAsking = false;
  #isWaking = false;
  #isGone = false;

  /** Whom it is connected to. */
  get actorId(): string {
    return this.#actorId;
  }

  constructor(host: ClientHost, sink: ClientSink) {
    this.#host = host;
    this.sink = sink;
  }

  /** Messages that its actor has not taken. */
  get waiting(): number {
    return this.#inbox.size;
  }

  /** Its actor is in memory; {@link Client.advance} follows when it has started. */
  attach(instance: Instance, conn: ActorConnection): void {
    this.#actorId = instance.id;
    this.#unlist = () => instance.components.clients.delete(conn.id);
    this.#place = { instance, conn };
  }

  /** Its actor sleeps. */
  detach(): void {
    this.#place = undefined;
    this.advance();
  }

  /** Takes a message of the client, which has so many bytes. */
  receive(message: ToServer, bytes: number): void {
    const place = this.#inbox.size === 0 ? this.#open : undefined;
    if (place !== undefined) this.#take(message, place);
    else if (this.#inbox.put(message, bytes)) this.advance();
    else this.sink.close("actor.overloaded");
  }

  /** The client has gone: the actor is told, and woken for that if need be. */
  leave(): void {
    this.#isGone = true;
    this.advance();
  }

  /** Hands over what waits, as far as the actor takes it. */
  advance(): void {
    if (this.#isGone) return this.#disconnect();
    for (let place = this.#open; place !== undefined; place = this.#open) {
      const message = this.#inbox.take();
      if (message === undefined) return;
      this.#take(message, place);
    }
    if (this.#inbox.size > 0) this.#wake();
  }

  /** Where messages are taken now. */
  get #open(): Place | undefined {
    return this.#isAsking || this.#place?.instance.serves !== true ? undefined : this.#place;
  }

  #disconnect(): void {
    if (this.#place === undefined) return this.#wake();
    const { instance, conn } = this.#place;
    // One that has made its last save hears of it when it wakes.
    if (instance.saving.isOpen) void instance.connections.disconnect(conn, "");
  }

  #wake(): void {
    if (this.#place !== undefined || this.#isWaking) return;
    this.#isWaking = true;
    this.#host.wake({ id: this.#actorId }).then(
      () => {
        this.#isWaking = false;
        // It slept again already, or does not know the client any more.
        if (this.#place === undefined) this.sink.close("connection.not_found");
      },
      (error: unknown) => {
        this.#isWaking = false;
        this.#unlist();
        this.sink.close(ActrError.from(error).code);
      },
    );
  }

  #take(message: ToServer, { instance, conn }: Place): void {
    switch (message.tag) {
      case "ActionRequest": {
        const { id, name, args } = message;
        return instance.act({ name, args, conn, answer: this.sink.answerTo(id, instance) });
      }
      case "SubscriptionRequest":
        if (message.subscribe) return this.#subscribe(message.eventName, instance, conn);
        return instance.connections.events.unsubscribe(conn, message.eventName);
    }
  }

  #subscribe(event: string, { connections }: Instance, conn: ActorConnection): void {
    try {
      const allowed = connections.events.subscribe(conn, event);
      if (allowed !== undefined) void this.#advanceAfter(allowed);
    } catch (error) {
      this.sink.fail(ActrError.from(error));
    }
  }

  async #advanceAfter(allowed: Promise<void>): Promise<void> {
    this.#isAsking = true;
    await allowed.catch((error: unknown) => this.sink.fail(ActrError.from(error)));
    this.#isAsking = false;
    this.advance();
  }
}
