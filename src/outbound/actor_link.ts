import type { ConnectionStatus, ConnectionToActor } from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import type { Random } from "../ports/random.ts";
import type { Socket, SocketClosed } from "../ports/sockets.ts";
import {
  readToClient,
  type ToClient,
  writeAction,
  writeSubscription,
} from "../protocol/actors/client_codec.ts";
import { ackAction, resumedEvent, resumeEvent } from "../protocol/actors/resume.ts";
import { withinLimit } from "../time_limit.ts";
import { withResolvers } from "../with_resolvers.ts";
import { failureOf, failureOfClose } from "./gateway_failure.ts";
import type { LinkCall } from "./link_call.ts";
import { LinkCalls, type LinkCallsParts } from "./link_calls.ts";
import { LinkListeners, type Listener } from "./link_listeners.ts";
import { LinkMemory } from "./link_memory.ts";

/** What {@link ActorLink} works with. */
export interface ActorLinkParts extends LinkCallsParts {
  readonly random: Random;
  /** Opens another WebSocket to the actor, with a subprotocol more. @throws ActrError `unavailable`. */
  readonly open: (signal: AbortSignal, offer: string) => Promise<Socket>;
}

/** How long becoming connected may take, milliseconds: a node wakes the actor, and runs its hooks. */
const openTimeoutMs = 30_000;

/** Pauses before another socket is opened, milliseconds: they double while sockets last less than a while. */
const firstPauseMs = 250;
const longestPauseMs = 30_000;
const longEnoughMs = 5000;

/**
 * A client's connection to one actor, over one WebSocket after the other: what is asked for while there is none waits
 * for the next. The node keeps a connection whose socket is lost for a while: then nothing is lost and nothing done
 * twice. Where it does not, what was asked for and is not answered fails, since it may have been done.
 */
export class ActorLink implements ConnectionToActor {
  readonly ended: Promise<ActrError | undefined>;
  readonly #parts: ActorLinkParts;
  readonly #end = withResolvers<ActrError | undefined>();
  readonly #closing = new AbortController();
  readonly #listeners: LinkListeners;
  readonly #calls: LinkCalls;
  readonly #memory = new LinkMemory();
  /** The socket of a connection that is open. */
  #socket: Socket | undefined;
  /** Why it is being refused. */
  #refusal: ActrError | undefined;

  constructor(parts: ActorLinkParts) {
    this.#parts = parts;
    this.#calls = new LinkCalls(parts);
    this.#listeners = new LinkListeners(() => this.#subscribe());
    this.ended = this.#end.promise;
    void this.#run();
  }

  get status(): ConnectionStatus {
    if (this.#closing.signal.aborted) return "closed";
    return this.#socket === undefined ? "connecting" : "connected";
  }

  act(name: string, args: readonly unknown[]): Promise<unknown> {
    const refusal = this.status === "closed" ? closed() : this.#calls.refusal;
    if (refusal !== undefined) return Promise.reject(refusal);
    const call = this.#calls.begin(name, args);
    if (this.#socket === undefined) this.#calls.wait(call);
    else this.#send(this.#socket, call);
    return call.answer;
  }

  on(event: string, listener: Listener): () => void {
    return this.#listeners.on(event, listener);
  }

  onError(listener: (error: ActrError) => void): () => void {
    return this.#listeners.onError(listener);
  }

  close(): void {
    this.#finish(undefined);
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#parts;
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      const begun = clock.monotonic();
      const failure = await this.#serve().catch((error: unknown) => ActrError.from(error));
      if (signal.aborted) return;
      if (failure === undefined || !failure.retryable) return this.#finish(failure);
      failures = clock.monotonic() - begun < longEnoughMs ? failures + 1 : 0;
      if (failures === 0) continue;
      const pauseMs = Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
      await clock.sleep(pauseMs * (1 - random.next() / 2), { signal }).catch(() => {});
    }
  }

  /** Opens a socket, and resolves when it has ended, with the reason; none when the actor ended it in peace. */
  async #serve(): Promise<ActrError | undefined> {
    const { clock, open } = this.#parts;
    const limit = { what: "opening a connection", ms: openTimeoutMs, signal: this.#closing.signal };
    const socket = await withinLimit(clock, limit, (signal) => open(signal, this.#memory.offer));
    const { promise, resolve } = withResolvers<SocketClosed>();
    socket.handle({ message: (data) => this.#take(socket, data), closed: resolve });
    const close = (): void => socket.close(1000, "Disposed");
    this.#closing.signal.addEventListener("abort", close);
    if (this.#closing.signal.aborted) close();
    const timer = clock.timer(clock.now() + openTimeoutMs, () => {
      if (this.#socket !== socket) socket.terminate();
    });
    const { code, reason } = await promise;
    timer.cancel();
    this.#closing.signal.removeEventListener("abort", close);
    return this.#lost(code, reason);
  }

  #lost(code: number, reason: string): ActrError | undefined {
    const wasOpen = this.#socket !== undefined;
    const refusal = this.#refusal;
    this.#socket = undefined;
    this.#refusal = undefined;
    const failure = refusal ?? failureOfClose(code, reason);
    const isDestroyed = wasOpen && failure.code === "actor.destroying";
    // The node keeps what it has not ended itself.
    if (failure.code !== "unavailable" || code === 1000) this.#memory.forget();
    if (!this.#memory.canResume) this.#calls.failSent(failure);
    // To be connected again would make another actor.
    if (isDestroyed) return new ActrError("actor.not_found", "the actor was destroyed");
    return wasOpen && code === 1000 ? undefined : failure;
  }

  #take(socket: Socket, data: Uint8Array): void {
    let message: ToClient;
    try {
      message = readToClient(data);
    } catch (error) {
      this.#listeners.tell(ActrError.from(error));
      return socket.close(1011, "protocol.invalid_message");
    }
    if (message.tag === "Init") return this.#opened(socket, message.connectionId);
    if (message.tag === "Event" && message.name === resumedEvent) {
      return this.#resumed(socket, Number(message.args[0]));
    }
    const received = this.#memory.hear(data.length);
    if (received !== undefined) socket.send(writeAction(0n, ackAction, [received]));
    this.#heard(message);
  }

  #heard(message: Exclude<ToClient, { tag: "Init" }>): void {
    switch (message.tag) {
      case "Error":
        return this.#failed(failureOf(message.error), message.actionId);
      case "ActionResponse": {
        const call = this.#calls.sent(message.id);
        if (call === undefined) return;
        this.#memory.confirm(call.number);
        return this.#calls.done(call).resolve(message.output);
      }
      case "Event":
        if (message.name === resumeEvent) return this.#memory.enable(String(message.args[0]));
        this.#listeners.emit(message.name, message.args);
    }
  }

  /** Another connection: what was asked for on the one before is not known here. */
  #opened(socket: Socket, connectionId: string): void {
    this.#calls.failSent(
      new ActrError("connection.restore_not_found", "the node does not know it any more"),
    );
    this.#memory.begin(connectionId);
    this.#listeners.forget();
    this.#goOn(socket);
  }

  /** The same connection, over another socket: the node has so many messages. */
  #resumed(socket: Socket, received: number): void {
    for (const message of this.#memory.confirm(received)) socket.send(message);
    this.#goOn(socket);
  }

  #goOn(socket: Socket): void {
    this.#socket = socket;
    this.#subscribe();
    for (const call of this.#calls.takeWaiting()) this.#send(socket, call);
  }

  /** Tells the node which events are listened to, as far as it does not know. */
  #subscribe(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    for (const [event, listens] of this.#listeners.news()) {
      this.#put(socket, writeSubscription(event, listens));
    }
  }

  #put(socket: Socket, message: Uint8Array<ArrayBuffer>): number {
    socket.send(message);
    return this.#memory.keep(message);
  }

  #failed(error: ActrError, actionId: bigint | undefined): void {
    const call = actionId === undefined ? undefined : this.#calls.sent(actionId);
    if (call !== undefined) {
      this.#memory.confirm(call.number);
      this.#calls.done(call).reject(error);
    } else if (this.#socket === undefined) this.#refusal = error;
    else this.#listeners.tell(error);
  }

  #send(socket: Socket, call: LinkCall): void {
    this.#calls.send(call, (message) => this.#put(socket, message));
  }

  #finish(failure: ActrError | undefined): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#calls.failAll(failure ?? closed());
    if (failure !== undefined) this.#listeners.tell(failure);
    this.#end.resolve(failure);
  }
}

function closed(): ActrError {
  return new ActrError("actor.aborted", "the connection is closed");
}
