import type { ActrId, ActrType, Context, DataChunk, Dest, PayloadType } from "../author.ts";
import { bytes, type Calls, nothing } from "./calls.ts";
import { parse } from "./json.ts";
import { type IdText, id, idText } from "./shapes.ts";

/** Of what a context is made: token, request id, own id, caller; an id is a text of its own, which is seldom read. */
export type ContextText = readonly [string, string, string, string | null];

/** Longest line that is passed on, UTF-16 units: what the node writes of it is shorter. */
const longestLine = 8_192;

function destText(target: Dest): { kind: string; id?: IdText } {
  if (target.tag !== "peer") return { kind: target.tag };
  return { kind: "peer", id: idText(target.val) };
}

function chunkText(chunk: DataChunk): object {
  const { streamId, sequence, metadata = [], timestampMs } = chunk;
  return {
    streamId,
    sequence: `${sequence}`,
    metadata: metadata.map(({ key, value }) => [key, value]),
    ...(timestampMs !== undefined && { timestampMs: `${timestampMs}` }),
  };
}

function found(text: string): ActrId {
  return id(parse(text) as IdText);
}

/** The context of one entry. Its calls need it for `this`, so that none is made for another entry by mistake. */
export class EntryContext implements Context {
  readonly requestId: string;
  readonly #calls: Calls;
  readonly #text: ContextText;

  constructor(calls: Calls, text: ContextText) {
    this.requestId = text[1];
    this.#calls = calls;
    this.#text = text;
  }

  get selfId(): ActrId {
    return found(this.#text[2]);
  }

  get callerId(): ActrId | undefined {
    const caller = this.#text[3];
    return caller === null ? undefined : found(caller);
  }

  async call(target: Dest, routeKey: string, payload: Uint8Array): Promise<Uint8Array> {
    return this.#ask({ name: "call", target: destText(target), routeKey }, bytes, payload);
  }

  async tell(target: Dest, routeKey: string, payload: Uint8Array): Promise<void> {
    return this.#ask({ name: "tell", target: destText(target), routeKey }, nothing, payload);
  }

  async callRaw(target: ActrId, routeKey: string, payload: Uint8Array): Promise<Uint8Array> {
    return this.#ask({ name: "call-raw", target: idText(target), routeKey }, bytes, payload);
  }

  async discover({ manufacturer, name, version }: ActrType): Promise<ActrId> {
    const type = { manufacturer, name, version };
    return this.#ask({ name: "discover", type }, found);
  }

  async registerStream(streamId: string): Promise<void> {
    return this.#ask({ name: "register-stream", streamId }, nothing);
  }

  async unregisterStream(streamId: string): Promise<void> {
    return this.#ask({ name: "unregister-stream", streamId }, nothing);
  }

  async sendDataChunk(target: Dest, chunk: DataChunk, { tag }: PayloadType): Promise<void> {
    const sent = { target: destText(target), chunk: chunkText(chunk), payloadType: tag };
    return this.#ask({ name: "send-data-chunk", ...sent }, nothing, chunk.payload);
  }

  log(level: string, message: string): void {
    const line = `${message}`.slice(0, longestLine);
    this.#calls.tell({
      name: "log-message",
      token: this.#text[0],
      level: `${level}`,
      message: line,
    });
  }

  #ask<T>(what: object, read: (value: never) => T, payload?: Uint8Array): Promise<T> {
    return this.#calls.ask({ token: this.#text[0], ...what }, read, payload);
  }
}
