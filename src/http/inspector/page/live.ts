import type { Api } from "./api.ts";

/** One message of the inspector's protocol in JSON. */
export interface LiveMessage {
  readonly tag: string;
  readonly val: Readonly<Record<string, unknown>>;
}

const firstPauseMs = 500;
const longestPauseMs = 10_000;
/** The token is refused, or the actor is no more: it is of no use to try again. */
const finalReasons = ["inspector.unauthorized", "actor.not_found"];

/** Changes of an actor as they happen; connects again when the connection is lost. */
export class Live {
  readonly #open: () => WebSocket;
  readonly #onMessage: (message: LiveMessage) => void;
  readonly #onState: (isOpen: boolean) => void;
  #socket: WebSocket | undefined;
  #pauseMs = firstPauseMs;
  #timer = 0;
  #closed = false;

  constructor(
    api: Api,
    actorId: string,
    onMessage: (message: LiveMessage) => void,
    onState: (isOpen: boolean) => void,
  ) {
    this.#open = () => api.connect(actorId);
    this.#onMessage = onMessage;
    this.#onState = onState;
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    const socket = this.#open();
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (this.#closed) return;
      this.#pauseMs = firstPauseMs;
      this.#onState(true);
      this.#onMessage(JSON.parse(String(data)).body);
    };
    socket.onclose = ({ reason }) => {
      if (this.#closed) return;
      this.#onState(false);
      if (finalReasons.includes(reason)) return;
      this.#timer = window.setTimeout(() => this.#connect(), this.#pauseMs);
      this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
    };
  }
}
