import { WebSocket } from "ws";
import { ActrError } from "../../src/errors.ts";

/** For one answer; a node that was killed has none, milliseconds. */
const answerMs = 5_000;

/** Calls the actors of a node by hand, over HTTP. */
export class HostClient {
  readonly #base: string;
  readonly #signal: AbortSignal;

  constructor(port: number, signal: AbortSignal) {
    this.#base = `127.0.0.1:${port}/gateway/ledger`;
    this.#signal = signal;
  }

  /** Runs an action, once under one idempotency key. @throws ActrError `unavailable` when it is to be sent again. */
  async act(key: string, action: string, args: readonly unknown[], once: string): Promise<unknown> {
    const body = JSON.stringify({ args });
    const answer = await this.#post(key, `action/${action}`, body, { "idempotency-key": once });
    return (answer as { readonly output: unknown }).output;
  }

  /** Puts a message in; resolves when it is on disk. @throws as {@link HostClient.act}. */
  async send(key: string, body: string): Promise<void> {
    await this.#post(key, "queue/jobs", JSON.stringify({ body }), {});
  }

  /** Connects to an actor. @throws as {@link HostClient.act}. */
  connect(key: string, onNoted: (entry: string) => void): Promise<HostSocket> {
    return HostSocket.open(`ws://${this.#path(key, "connect")}`, onNoted, this.#signal);
  }

  #path(key: string, path: string): string {
    return `${this.#base}/${path}?rvt-method=getOrCreate&rvt-key=${key}`;
  }

  async #post(
    key: string,
    path: string,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(answerMs)]);
    const init = { method: "POST", body, headers, signal };
    const asked = fetch(`http://${this.#path(key, path)}`, init).then(async (response) => ({
      status: response.status,
      text: await response.text(),
    }));
    const { status, text } = await asked.catch((cause: unknown) => {
      throw new ActrError("unavailable", "the node does not answer", { cause });
    });
    if (status === 200) return JSON.parse(text);
    if (status >= 500 || status === 429) throw new ActrError("unavailable", `${status} ${text}`);
    throw new Error(`${path} of ${key}: ${status} ${text}`);
  }
}

interface Frame {
  readonly body: { readonly tag: string; readonly val: Readonly<Record<string, unknown>> };
}

/** One connection to an actor: asks for actions, and hears of entries. */
export class HostSocket {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, (frame: Frame["body"] | undefined) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket, onNoted: (entry: string) => void) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      const { body } = JSON.parse(String(data)) as Frame;
      if (body.tag === "Event") return onNoted((body.val["args"] as [string])[0]);
      const id = (body.val["actionId"] ?? body.val["id"]) as readonly [string, string] | null;
      if (id !== null) this.#settle(id?.[1] ?? "", body);
    });
    socket.on("close", () => {
      for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined);
    });
  }

  static async open(
    url: string,
    onNoted: (entry: string) => void,
    signal: AbortSignal,
  ): Promise<HostSocket> {
    const socket = new WebSocket(url, ["rivet", "rivet_encoding.json"]);
    const end = (): void => socket.terminate();
    signal.addEventListener("abort", end);
    socket.once("close", () => signal.removeEventListener("abort", end));
    // Whatever is wrong with it closes it, too.
    socket.on("error", () => {});
    const opened = new HostSocket(socket, onNoted);
    await new Promise<void>((resolve, reject) => {
      socket.once("message", () => resolve());
      socket.once("close", () => reject(new ActrError("unavailable", "it does not open")));
    });
    opened.#send("SubscriptionRequest", { eventName: "noted", subscribe: true });
    return opened;
  }

  /** @throws ActrError `unavailable` when nobody knows whether it was done. */
  async act(action: string, args: readonly unknown[]): Promise<void> {
    this.#lastId += 1;
    const id = String(this.#lastId);
    const answer = new Promise<Frame["body"] | undefined>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    if (this.#socket.readyState !== WebSocket.OPEN) this.#settle(id, undefined);
    else this.#send("ActionRequest", { id: ["$BigInt", id], name: action, args });
    const frame = await answer;
    if (frame?.tag === "ActionResponse") return;
    throw new ActrError("unavailable", `${action}: ${JSON.stringify(frame?.val ?? "it closed")}`);
  }

  close(): void {
    this.#socket.terminate();
  }

  #send(tag: string, val: Readonly<Record<string, unknown>>): void {
    this.#socket.send(JSON.stringify({ body: { tag, val } }));
  }

  #settle(id: string, frame: Frame["body"] | undefined): void {
    this.#waiting.get(id)?.(frame);
    this.#waiting.delete(id);
  }
}
