import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import type { ActorHost } from "../../host/actor_host.ts";
import { Client, type ClientSink } from "../../host/connections/client.ts";
import type { ActorConnection } from "../../host/connections/connection.ts";
import { type Frame, frameBytes, shortEnough } from "../../host/connections/event_frames.ts";
import type { Instance } from "../../host/instance.ts";
import type { Answer } from "../../host/turns/command.ts";
import type { Timer } from "../../ports/clock.ts";
import type { Socket } from "../../ports/sockets.ts";
import type { ActorCodec, ActorFrame, ToServer } from "../../protocol/actors/messages.ts";
import { ackAction, resumedEvent, resumeEvent, secretBytes } from "../../protocol/actors/resume.ts";
import { toHex } from "../../protocol/bytes.ts";
import { specifierOf } from "./actor_requests.ts";
import { errorBody } from "./error_answer.ts";
import { Resumption } from "./resumption.ts";
import type { ResumeRequest } from "./subprotocols.ts";

/** Close codes of the WebSocket of a connection (`spec/actor-host.md` §13.2). */
const normal = 1000;
const failed = 1011;

/** Bytes that a client may leave unread; beyond, its connection ends. */
const maxUnreadBytes = 16 * 1024 * 1024;

/** Pings that a client may leave unanswered. */
const maxSilentProbes = 2;

/** Close codes of a client that goes for good: it has said so, or its page was left. */
const leaving = [1000, 1001];

/** Whom a client connects to, and with what. */
export interface ConnectionInit {
  readonly target: CallTarget;
  /** @throws ActrError for parameters that are none. */
  readonly params: () => unknown;
}

/**
 * The line of one client: its messages go to its connection, answers and events come back. Where the client can resume,
 * the line outlives its WebSocket for a while, and goes on with the next.
 */
export class ConnectionSocket implements ClientSink {
  readonly codec: ActorCodec;
  /** None while it is lost. */
  #socket: Socket | undefined;
  #closed = false;
  /** What is sent before the client knows that it is connected. */
  #held: Frame[] | undefined = [];
  #client: Client | undefined;
  #instance: Instance | undefined;
  #silentProbes = 0;
  readonly #canResume: boolean;
  /** What the client needs to resume, once it is connected. */
  #resumption: Resumption | undefined;
  /** Ends the wait for another socket. */
  #timer: Timer | undefined;

  constructor(socket: Socket, codec: ActorCodec, canResume = false) {
    this.codec = codec;
    this.#canResume = canResume;
    this.#listen(socket);
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

  /** Goes on with another socket; false when the client would miss something, or it is not this client. */
  resume(socket: Socket, codec: ActorCodec, { secret, received }: ResumeRequest): boolean {
    if (this.#closed || codec !== this.codec || this.#resumption?.isOf(secret) !== true)
      return false;
    const missed = this.#resumption.after(received);
    if (missed === undefined) return false;
    this.#timer?.cancel();
    const before = this.#socket;
    this.#listen(socket);
    before?.terminate();
    this.#write(this.codec.event(resumedEvent, [this.#resumption.received]));
    for (const frame of missed) this.#write(frame);
    return true;
  }

  /** Tells why the client is not connected, and ends. */
  refuse(error: ActrError): void {
    const body = errorBody(error);
    this.#held = undefined;
    this.#write(this.codec.errorFrame(body, null));
    this.#close(failed, `${body.group}.${body.code}`);
  }

  opened({ id }: ActorConnection, instance: Instance): void {
    this.#instance = instance;
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#write(this.codec.init(instance.id, id));
    if (this.#canResume) {
      const secret = instance.components.random.bytes(secretBytes);
      this.#resumption = new Resumption(secret);
      this.#write(this.codec.event(resumeEvent, [toHex(secret)]));
    }
    for (const frame of held) this.send(frame);
  }

  send(frame: Frame): void {
    if (this.#closed) return;
    if (this.#held !== undefined) return void this.#held.push(frame);
    const isComplete = this.#resumption?.keep(frame) ?? true;
    if (this.#socket !== undefined) this.#write(frame);
    else if (!isComplete) this.#ended();
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
    this.#fail(error, null, this.#instance);
  }

  probe(): void {
    if (this.#silentProbes >= maxSilentProbes) return this.#socket?.terminate();
    if (this.#socket?.ping()) this.#silentProbes += 1;
  }

  close(reason: string): void {
    this.#close(reason.includes(".") && !reason.includes(" ") ? failed : normal, reason);
  }

  #listen(socket: Socket): void {
    this.#socket = socket;
    this.#silentProbes = 0;
    // One that has been replaced has nothing more to say.
    const current = (): boolean => this.#socket === socket;
    socket.handle({
      message: (data) => current() && this.#receive(data as Uint8Array<ArrayBuffer>),
      text: (text) => current() && this.#receive(text),
      pong: () => {
        this.#silentProbes = 0;
      },
      closed: ({ code }) => current() && this.#lost(code),
    });
  }

  #write(frame: Frame): void {
    const socket = this.#socket;
    if (socket === undefined || this.#closed) return;
    if (typeof frame === "string") socket.sendText(frame);
    else socket.send(frame);
    if (socket.bufferedAmount > maxUnreadBytes) this.#close(failed, "connection.slow_reader");
  }

  #receive(frame: ActorFrame): void {
    if (this.#closed) return;
    // Nobody has anything to say before it knows that it is connected.
    if (this.#instance === undefined) return this.#close(failed, "actor.invalid_request");
    this.#silentProbes = 0;
    const bytes = frameBytes(frame);
    if (bytes > this.#instance.kind.options.maxIncomingBytes) {
      return this.#close(failed, "message.incoming_too_long");
    }
    let message: ToServer;
    try {
      message = this.codec.readFrame(frame);
    } catch {
      return this.#close(failed, "actor.invalid_request");
    }
    this.#take(message, bytes);
  }

  #take(message: ToServer, bytes: number): void {
    if (this.#resumption === undefined) return this.#client?.receive(message, bytes);
    if (message.tag === "ActionRequest" && message.name === ackAction) {
      return this.#resumption.acknowledged(Number(message.args[0]));
    }
    this.#resumption.received += 1;
    this.#client?.receive(message, bytes);
  }

  #fail(error: ActrError, id: bigint | null, instance?: Instance): void {
    const actor = instance && specifierOf(instance);
    this.send(this.codec.errorFrame(errorBody(error, actor), id));
  }

  #close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#socket?.close(code, reason);
    this.#ended();
  }

  /** The socket has ended by itself: the client may come back with another. */
  #lost(code: number): void {
    this.#socket = undefined;
    if (this.#closed) return;
    const { components, kind } = this.#instance ?? {};
    if (this.#resumption === undefined || components === undefined || leaving.includes(code)) {
      return this.#ended();
    }
    const { clock } = components;
    const resumeMs = kind?.options.resumeMs ?? 0;
    this.#timer = clock.timer(clock.now() + resumeMs, () => this.#ended());
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#client?.leave();
  }
}
