import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import type { ActorHost } from "../../host/actor_host.ts";
import type { ActorConnection, ClientSink } from "../../host/connection.ts";
import type { Instance } from "../../host/instance.ts";
import type { Socket } from "../../ports/sockets.ts";
import type { ActorCodec, ActorFrame, ToServer } from "../../protocol/actors/messages.ts";
import { specifierOf } from "./actor_requests.ts";
import { errorBody } from "./error_answer.ts";

/** Close codes of the WebSocket of a connection (`spec/actor-host.md` §13.2). */
const normal = 1000;
const failed = 1011;

/** Bytes that a client may leave unread; beyond, its connection ends. */
const maxUnreadBytes = 16 * 1024 * 1024;

/** Messages of a client that may wait for an answer about a subscription. */
const maxWaiting = 1024;

/** Whom a client connects to, and with what. */
export interface ConnectionInit {
  readonly target: CallTarget;
  /** @throws ActrError for parameters that are none. */
  readonly params: () => unknown;
}

/** One client on one WebSocket: its actions and subscriptions go to the actor, answers and events come back. */
export class ConnectionSocket implements ClientSink {
  readonly codec: ActorCodec;
  readonly #socket: Socket;
  #closed = false;
  /** What is sent before the client knows that it is connected. */
  #held: (string | Uint8Array)[] | undefined = [];
  /** Messages that came while it is asked whether a subscription is allowed: they may depend on it. */
  #waiting: ToServer[] | undefined;
  #instance: Instance | undefined;
  #conn: ActorConnection | undefined;

  constructor(socket: Socket, codec: ActorCodec) {
    this.#socket = socket;
    this.codec = codec;
    socket.handle({
      message: (data) => this.#receive(data as Uint8Array<ArrayBuffer>),
      text: (text) => this.#receive(text),
      closed: () => this.#ended(),
    });
  }

  /** Connects the client: its first message is that it is; a refusal is told before the end. */
  async open(host: ActorHost, { target, params }: ConnectionInit): Promise<void> {
    try {
      const instance = await host.wake(target);
      this.#instance = instance;
      const conn = await instance.connections.connect({ params: params(), sink: this });
      this.#conn = conn;
      if (this.#closed) return await conn.disconnect();
      this.#open(this.codec.init(instance.id, conn.id));
    } catch (error) {
      this.refuse(ActrError.from(error));
    }
  }

  /** Tells why the client is not connected, and ends. */
  refuse(error: ActrError): void {
    const body = errorBody(error);
    this.#open(this.codec.errorFrame(body, null));
    this.#close(failed, `${body.group}.${body.code}`);
  }

  send(frame: string | Uint8Array): void {
    if (this.#closed) return;
    if (this.#held !== undefined) return void this.#held.push(frame);
    if (typeof frame === "string") this.#socket.sendText(frame);
    else this.#socket.send(frame);
    if (this.#socket.bufferedAmount > maxUnreadBytes) this.#close(failed, "connection.slow_reader");
  }

  close(reason: string): void {
    this.#close(reason.includes(".") && !reason.includes(" ") ? failed : normal, reason);
  }

  /** Sends the first frame, and then what was held back for it. */
  #open(first: ActorFrame): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const frame of [first, ...held]) this.send(frame);
  }

  #receive(frame: ActorFrame): void {
    const { maxIncomingBytes = 0 } = this.#instance?.kind.options ?? {};
    // Nobody has anything to say before it knows that it is connected.
    if (this.#conn === undefined) return this.#close(failed, "actor.invalid_request");
    if (frame.length > maxIncomingBytes) return this.#close(failed, "message.incoming_too_long");
    let message: ToServer;
    try {
      message = this.codec.readFrame(frame);
    } catch {
      return this.#close(failed, "actor.invalid_request");
    }
    this.#take(message, this.#conn);
  }

  #take(message: ToServer, conn: ActorConnection): void {
    if (this.#waiting !== undefined) return this.#wait(this.#waiting, message);
    switch (message.tag) {
      case "ActionRequest": {
        const { id, name, args } = message;
        const answer = {
          take: (output: unknown) => this.#output(id, output),
          fail: (error: ActrError) => this.#fail(error, id),
        };
        return this.#instance?.act({ name, args, conn, answer });
      }
      case "SubscriptionRequest":
        return this.#subscribe(message, conn);
    }
  }

  #wait(waiting: ToServer[], message: ToServer): void {
    if (waiting.length < maxWaiting) waiting.push(message);
    else this.#close(failed, "actor.overloaded");
  }

  #subscribe(
    { eventName, subscribe }: Extract<ToServer, { tag: "SubscriptionRequest" }>,
    conn: ActorConnection,
  ): void {
    const connections = this.#instance?.connections;
    if (!subscribe) return connections?.unsubscribe(conn, eventName);
    try {
      const allowed = connections?.subscribe(conn, eventName);
      if (allowed !== undefined) void this.#resumeAfter(allowed, conn);
    } catch (error) {
      this.#fail(ActrError.from(error), null);
    }
  }

  async #resumeAfter(allowed: Promise<void>, conn: ActorConnection): Promise<void> {
    const waiting: ToServer[] = [];
    this.#waiting = waiting;
    await allowed.catch((error: unknown) => this.#fail(ActrError.from(error), null));
    this.#waiting = undefined;
    for (const message of waiting) this.#take(message, conn);
  }

  #output(id: bigint, output: unknown): () => void {
    const frame = this.codec.outputFrame(id, output);
    const { maxOutgoingBytes = 0 } = this.#instance?.kind.options ?? {};
    if (frame.length <= maxOutgoingBytes) return () => this.send(frame);
    const message = `the answer has ${frame.length} bytes; ${maxOutgoingBytes} are allowed`;
    throw new ActrError("message.outgoing_too_long", message);
  }

  #fail(error: ActrError, id: bigint | null): void {
    const actor = this.#instance && specifierOf(this.#instance);
    this.send(this.codec.errorFrame(errorBody(error, actor), id));
  }

  #close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close(code, reason);
    void this.#conn?.disconnect();
  }

  #ended(): void {
    this.#closed = true;
    void this.#conn?.disconnect();
  }
}
