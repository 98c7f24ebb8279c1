import type { ActrError } from "../../../src/errors.ts";
import { Client, type ClientSink } from "../../../src/host/connections/client.ts";
import type { ActorConnection } from "../../../src/host/connections/connection.ts";
import type { Answer } from "../../../src/host/turns/command.ts";
import type { Rig } from "./support.ts";

const codec = {
  event: (name: string, args: readonly unknown[]): string => JSON.stringify([name, ...args]),
};

/** The end of a client that writes down what it hears: events as `[name, payload]`, answers as `[number, output]`. */
export class Listener implements ClientSink {
  readonly codec: ClientSink["codec"];
  readonly heard: unknown[];
  conn: ActorConnection | undefined;
  /** Why it was closed. */
  end: string | undefined;
  client: Client | undefined;
  #nextId = 0n;

  constructor(heard: unknown[] = [], own: ClientSink["codec"] = codec) {
    this.heard = heard;
    this.codec = own;
  }

  /** A client of the actor of this name and key. */
  static async connect(
    rig: Rig,
    name: string,
    key: string,
    params?: unknown,
    heard: unknown[] = [],
    own: ClientSink["codec"] = codec,
  ): Promise<Listener & { readonly client: Client; readonly conn: ActorConnection }> {
    const instance = await rig.host.wake({ name, key: [key], create: { input: undefined } });
    const listener = new Listener(heard, own);
    const client = new Client(rig.host, listener);
    const conn = await instance.connections.connect({ params, client });
    await rig.clock.settle();
    return Object.assign(listener, { client, conn });
  }

  /** Sends a call of an action; its number. */
  act(name: string, ...args: unknown[]): number {
    const id = this.#nextId++;
    this.client?.receive({ tag: "ActionRequest", id, name, args }, 10);
    return Number(id);
  }

  subscribe(eventName: string, subscribe = true): void {
    this.client?.receive({ tag: "SubscriptionRequest", eventName, subscribe }, 10);
  }

  /** What was heard since the last time. */
  taken(): unknown[] {
    return this.heard.splice(0);
  }

  opened(conn: ActorConnection): void {
    this.conn = conn;
  }

  send(frame: string | Uint8Array): void {
    this.heard.push(JSON.parse(String(frame)));
  }

  answerTo(id: bigint): Answer {
    return {
      take: (output) => () => void this.heard.push([Number(id), output]),
      fail: (error) => void this.heard.push([Number(id), error.code]),
    };
  }

  fail(error: ActrError): void {
    this.heard.push(error.code);
  }

  probe(): void {}

  close(reason: string): void {
    if (this.end !== undefined) return;
    this.end = reason;
    this.client?.leave();
  }
}
