import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import type { ActorHost } from "../../host/actor_host.ts";
import { Client, type ClientSink } from "../../host/client.ts";
import type { Answer } from "../../host/command.ts";
import type { ActorConnection } from "../../host/connection.ts";
import { frameBytes, shortEnough } from "../../host/event_frames.ts";
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

/** Pings that a client may leave unanswered. */
const maxSilentProbes = 2;

/** Whom a client connects to, and with what. */
export interface ConnectionInit {
  readonly target: CallTarget;
  /** @throws ActrError for parameters that are none. */
  readonly params: () => unknown;
}

/** The WebSocket of one client: its messages go to its connection, answers and events come back. */
export class ConnectionSocket implements ClientSink {
  readonly codec: ActorCodec;
  readonly #socket: Socket;
  #closed = false;
  /** What is sent before the client knows that it is connected. */
  #held: (string | Uint8Array)[] | undefined = [];
  #client: Client | undefined;
  /** Bytes of a message that its actor takes, once it is connected. */
  #maxIncomingBytes: number | undefined;
  #silentProbes = 0;

  constructor(socket: Socket, codec: ActorCodec) {
    this.#socket = socket;
    this.codec = codec;
    socket.handle({
      message: (data) => this.#receive(data as Uint8Array<ArrayBuffer>),
      text: (text) => this.#receive(text),
      pong: () => {
        this.#silentProbes = 0;
      },
      closed: () => this.#ended(),
    });
  }

  /** Connects the client: its first message is that it is; a refusal is told before the end. */
  async open(host: ActorHost, { target, params }: ConnectionInit): Promise<void> {
    try {
      const instance = await host.wake(target);
      if (this.#closed) return;
      const client = new Client(host, this);
      await instance.connections.connect({ params: params(), client });
      this.#client = client;
      if (this.#closed) client.leave();
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

  opened({ id }: ActorConnection, instance: Instance): void {
    this.#maxIncomingBytes = instance.kind.options.maxIncomingBytes;
    this.#open(this.codec.init(instance.id, id));
  }

  send(frame: string | Uint8Array): void {
    if (this.#closed) return;
    if (this.#held !== undefined) return void this.#held.push(frame);
    if (typeof frame === "string") this.#socket.sendText(frame);
    else this.#socket.send(frame);
    if (this.#socket.bufferedAmount > maxUnreadBytes) this.#close(failed, "connection.slow_reader");
  }

  answerTo(id: bigint, instance: Instance): Answer {
    return {
      take: (output) => {
        const { maxOutgoingBytes } = instance.kind.options;
        const frame = shortEnough(this.codec.outputFrame(id, output), maxOutgoingBytes);
        return () => this.send(frame);
      },
      fail: (error) => this.#fail(error, id, instance),
    };
  }

  fail(error: ActrError): void {
    this.#fail(error, null);
  }

  probe(): void {
    if (this.#silentProbes >= maxSilentProbes) return this.#socket.terminate();
    if (this.#socket.ping()) this.#silentProbes += 1;
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
    if (this.#closed) return;
    // Nobody has anything to say before it knows that it is connected.
    if (this.#maxIncomingBytes === undefined) return this.#close(failed, "actor.invalid_request");
    this.#silentProbes = 0;
    const bytes = frameBytes(frame);
    if (bytes > this.#maxIncomingBytes) {
      return this.#close(failed, "message.incoming_too_long");
    }
    let message: ToServer;
    try {
      message = this.codec.readFrame(frame);
    } catch {
      return this.#close(failed, "actor.invalid_request");
    }
    this.#client?.receive(message, bytes);
  }

  #fail(error: ActrError, id: bigint | null, instance?: Instance): void {
    const actor = instance && specifierOf(instance);
    this.send(this.codec.errorFrame(errorBody(error, actor), id));
  }

  #close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#socket.close(code, reason);
    this.#ended();
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client?.leave();
  }
}
