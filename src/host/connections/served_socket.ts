import type { ActionContext, RawSocket, RawSocketHandler } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { Socket, SocketClosed } from "../../ports/sockets.ts";
import { utf8Length } from "../../protocol/utf8.ts";
import type { Instance } from "../instance.ts";
import type { ActorConnection } from "./connection.ts";

/** Bytes that a client may leave unread, and messages that it may send while its actor is being woken. */
const maxUnreadBytes = 16 * 1024 * 1024;
const maxEarly = 1024;

const failed = 1011;

/** Whose socket it is. */
interface Place {
  readonly instance: Instance;
  readonly conn: ActorConnection;
}

/**
 * A raw WebSocket of a client, as its actor has it: what comes is handed over in turns, in order; what is sent leaves
 * when all that the actor knows is on disk.
 */
export class ServedSocket implements RawSocket {
  readonly #socket: Socket;
  #place: Place | undefined;
  #handler: RawSocketHandler | undefined;
  /** What came before the actor was awake. */
  #early: (string | Uint8Array)[] = [];
  #end: SocketClosed | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.handle({
      message: (data) => this.#receive(data),
      text: (text) => this.#receive(text),
      closed: (end) => this.#ended(end),
    });
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  handle(handler: RawSocketHandler): void {
    this.#handler = handler;
  }

  send(data: string | Uint8Array): void {
    const { instance } = this.#placed();
    const bytes = lengthOf(data);
    const { maxOutgoingBytes } = instance.kind.options;
    if (bytes > maxOutgoingBytes) {
      const message = `the message has ${bytes} bytes; ${maxOutgoingBytes} are allowed`;
      throw new ActrError("message.outgoing_too_long", message);
    }
    // The caller may go on to use its bytes.
    const own = typeof data === "string" ? data : data.slice();
    instance.saving.put({ emit: () => this.#send(own), drop() {} });
  }

  close(code = 1000, reason = ""): void {
    const { instance } = this.#placed();
    instance.saving.put({ emit: () => this.#socket.close(code, reason), drop() {} });
  }

  /** Ends it from outside: the connection that it belongs to has ended, or never came to be. */
  cut(reason: string): void {
    this.#socket.close(reason.includes(".") ? failed : 1000, reason);
  }

  /** Gives it to an actor: `open` runs first, then what has come meanwhile is handed over. */
  attach(place: Place, open: (c: ActionContext) => unknown): void {
    this.#place = place;
    this.#turn(place, open);
    for (const data of this.#early.splice(0)) this.#receive(data);
    if (this.#end !== undefined) this.#ended(this.#end);
  }

  #placed(): Place {
    if (this.#place !== undefined) return this.#place;
    throw new TypeError("the socket belongs to no actor yet");
  }

  #receive(data: string | Uint8Array): void {
    const place = this.#place;
    if (place === undefined) {
      if (this.#early.length < maxEarly) this.#early.push(data);
      else this.cut("actor.overloaded");
      return;
    }
    if (lengthOf(data) > place.instance.kind.options.maxIncomingBytes) {
      return this.cut("message.incoming_too_long");
    }
    this.#turn(place, () => this.#handler?.message(data));
  }

  #ended(end: SocketClosed): void {
    this.#end = end;
    this.#early = [];
    const place = this.#place;
    if (place === undefined) return;
    this.#turn(place, () => this.#handler?.closed?.(end));
    void place.conn.disconnect();
  }

  /** One that cannot have its turn, or fails in it, ends the socket: what comes after it may build on it. */
  #turn({ instance, conn }: Place, handler: (c: ActionContext) => unknown): void {
    const answer = {
      take: () => () => {},
      fail: ({ code, public: told }: ActrError) => this.cut(told ? code : "actor.internal_error"),
    };
    instance.act({ name: "onWebSocket", args: [], conn, answer, handler });
  }

  #send(data: string | Uint8Array): void {
    if (this.#end !== undefined) return;
    if (typeof data === "string") this.#socket.sendText(data);
    else this.#socket.send(data);
    if (this.#socket.bufferedAmount > maxUnreadBytes) this.cut("connection.slow_reader");
  }
}

/**
 * Gives a client's socket to an actor's `onWebSocket`.
 * @throws ActrError `actor.not_configured` where there is none; what the hooks of connections threw.
 */
export async function serveSocket(
  instance: Instance,
  socket: ServedSocket,
  { request, params }: { readonly request: Request; readonly params: unknown },
): Promise<void> {
  const { onWebSocket } = instance.kind.definition;
  if (onWebSocket === undefined) {
    const message = `actor ${instance.kind.name} takes no WebSockets: it has no onWebSocket`;
    throw new ActrError("actor.not_configured", message);
  }
  const onEnd = (reason: string): void => socket.cut(reason);
  const conn = await instance.connections.connect({ params, onEnd });
  socket.attach({ instance, conn }, (c) => onWebSocket(c, socket, request));
}

function lengthOf(data: string | Uint8Array): number {
  return typeof data === "string" ? utf8Length(data) : data.length;
}
