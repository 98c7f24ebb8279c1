import { Deque } from "../../deque.ts";
import { ActrError } from "../../errors.ts";
import { ActorInspection, type InspectionParts } from "../../host/inspection/inspection.ts";
import type { WatchedPart, Watcher } from "../../host/inspection/inspection_watch.ts";
import type { Timer } from "../../ports/clock.ts";
import type { Socket } from "../../ports/sockets.ts";
import type { InspectorAnswer, InspectorCodec } from "../../protocol/actors/inspector_schema.ts";
import { answerRequest, initOf, updateOf } from "./requests.ts";

/** Close codes (`spec/actor-host.md` §13.2). */
const failed = 1011;

/** Requests of one inspector that are being answered. */
const maxRequests = 64;
/** Bytes that an inspector may leave unread before changes wait for it, and before it is given up. */
const lagBytes = 256 * 1024;
const maxUnreadBytes = 16 * 1024 * 1024;
/** Changes that wait for an inspector that lags; of more, the oldest are lost (`spec/actor-host.md` §16.1). */
const maxLagging = 32;
/** A larger state is not pushed; it can be asked for. */
const maxPushedBytes = 1_048_576;
/** So often a ping finds out whether the inspector is still there, milliseconds. */
const pingMs = 30_000;

/** One inspector of one actor on a WebSocket: it is told of changes, and asks. The actor is not kept awake by it. */
export class InspectorSocket implements Watcher {
  readonly #socket: Socket;
  readonly #codec: InspectorCodec;
  readonly #parts: InspectionParts;
  readonly #onEnd: () => void;
  /** Changes that are not sent yet. */
  readonly #lagging = new Deque<InspectorAnswer>();
  #actor: ActorInspection | undefined;
  #unwatch: (() => void) | undefined;
  #ping: Timer | undefined;
  /** Whether the inspector has been told how the actor is. */
  #shown = false;
  #requests = 0;
  #closed = false;

  constructor(socket: Socket, codec: InspectorCodec, parts: InspectionParts, onEnd: () => void) {
    this.#socket = socket;
    this.#codec = codec;
    this.#parts = parts;
    this.#onEnd = onEnd;
    socket.handle({
      message: (data) => void this.#receive(data),
      text: (text) => void this.#receive(text),
      closed: () => this.#end(),
      drained: () => this.#catchUp(),
    });
  }

  /** Shows an actor from now on. */
  async open(find: () => Promise<string>): Promise<void> {
    try {
      const actor = await ActorInspection.open(this.#parts, await find());
      if (this.#closed) return;
      this.#actor = actor;
      // Watched before it is shown, so that no change falls in between.
      this.#unwatch = actor.watch(this);
      const init = await initOf(actor);
      if (this.#closed) return;
      this.#send(init);
      this.#shown = true;
      this.#catchUp();
      this.#pingLater();
      this.#send(await updateOf(actor, "lifecycle"));
    } catch (error) {
      const { code, message } = ActrError.from(error);
      this.#send({ tag: "Error", val: { message } });
      this.close(failed, code);
    }
  }

  state(encoded: Uint8Array): void {
    if (encoded.length <= maxPushedBytes) {
      return this.#push({ tag: "StateUpdated", val: { state: encoded } });
    }
    const message = `the state has ${encoded.length} bytes; up to ${maxPushedBytes} are shown as they change`;
    this.#push({ tag: "Error", val: { message } });
  }

  changed(part: WatchedPart): void {
    if (this.#actor === undefined) return;
    updateOf(this.#actor, part).then(
      (update) => this.#push(update),
      (error: unknown) => this.#fail(error),
    );
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    this.#end();
  }

  async #receive(frame: string | Uint8Array): Promise<void> {
    const actor = this.#actor;
    // Nobody has anything to ask before it has been shown the actor.
    if (actor === undefined || !this.#shown || this.#closed) return;
    if (this.#requests >= maxRequests) {
      return this.#fail(new ActrError("overloaded", `${maxRequests} requests are being answered`));
    }
    this.#requests += 1;
    try {
      const answer = await answerRequest(actor, this.#codec.read(frame));
      if (answer !== undefined) this.#send(answer);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#requests -= 1;
    }
  }

  #fail(error: unknown): void {
    this.#send({ tag: "Error", val: { message: ActrError.from(error).message } });
  }

  /** Sends a change, in its order; later, when the inspector lags. */
  #push(change: InspectorAnswer): void {
    this.#lagging.push(change);
    this.#catchUp();
    if (this.#lagging.size <= maxLagging) return;
    this.#lagging.shift();
    this.#parts.log.warn("inspector.lagging", { actor_id: this.#actor?.id });
  }

  #catchUp(): void {
    if (!this.#shown) return;
    while (this.#lagging.first !== undefined && this.#socket.bufferedAmount <= lagBytes) {
      this.#send(this.#lagging.shift() as InspectorAnswer);
    }
  }

  #send(answer: InspectorAnswer): void {
    if (this.#closed) return;
    const frame = this.#codec.write(answer);
    if (typeof frame === "string") this.#socket.sendText(frame);
    else if (frame !== undefined) this.#socket.send(frame);
    if (this.#socket.bufferedAmount > maxUnreadBytes) this.close(failed, "connection.slow_reader");
  }

  #pingLater(): void {
    const { clock } = this.#parts;
    this.#ping = clock.timer(clock.now() + pingMs, () => {
      this.#socket.ping();
      this.#pingLater();
    });
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onEnd();
    this.#ping?.cancel();
    this.#unwatch?.();
    this.#unwatch = undefined;
  }
}
