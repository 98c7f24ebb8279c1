import {
  type ActrId,
  type Credential,
  readId,
  writeCredential,
  writeId,
} from "../peer/identity.ts";
import { Fields, Writer } from "../peer/protobuf.ts";

/** Flows of an envelope (`spec/protocol.md` §2.6). */
export const flows = { toServer: 11, toActr: 12, relay: 13, error: 14 } as const;

/** What a node asks of the server. */
export const requests = {
  unregister: 3,
  ping: 4,
  discovery: 10,
  candidates: 11,
  serviceSpec: 12,
  signingKey: 13,
  subscribe: 20,
  unsubscribe: 21,
} as const;

/** What the server answers or tells. */
export const answers = {
  registered: 2,
  unregistered: 3,
  pong: 4,
  discovery: 10,
  candidates: 11,
  serviceSpec: 12,
  signingKey: 13,
  subscribed: 20,
  unsubscribed: 21,
  actrUp: 22,
  error: 30,
} as const;

/** What nodes relay to each other. */
export const relays = {
  candidate: 10,
  description: 11,
  negotiation: 12,
  assignment: 13,
  restartRequest: 14,
} as const;

/** The credential that names nobody, which peers are shown (`spec/protocol.md` §7.5). */
export const blankCredential: Credential = {
  keyId: 0,
  claims: new Uint8Array(0),
  signature: new Uint8Array(0),
};

/** Who sends: its id and the credential that it has at the moment. */
export interface Sender {
  readonly id: ActrId;
  readonly credential: Credential;
}

/** One envelope as it came. */
export class Received {
  readonly bytes: Uint8Array;
  readonly #fields: Fields;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#fields = new Fields(bytes);
  }

  get id(): string {
    return this.#fields.text(2) ?? "";
  }

  get replyFor(): string | undefined {
    return this.#fields.text(3);
  }

  /** The numbers of its fields. */
  get numbers(): number[] {
    return this.#fields.numbers;
  }

  /** What the server says to this node; empty when it says nothing. */
  get told(): Fields {
    return this.#fields.message(flows.toActr) ?? new Fields(new Uint8Array(0));
  }

  get relay(): Fields | undefined {
    return this.#fields.message(flows.relay);
  }

  /** An ErrorResponse, as an answer or as an envelope of its own. */
  get error(): { code: number | undefined; message: string | undefined } | undefined {
    const error = this.told.message(answers.error) ?? this.#fields.message(flows.error);
    return error && { code: error.number(1), message: error.text(2) };
  }
}

/** An envelope with one flow; version 2, without a timestamp. */
export function writeEnvelope(
  id: string,
  flow: number,
  payload: Writer,
  { version = 2, replyFor }: { readonly version?: number; readonly replyFor?: string } = {},
): Writer {
  const envelope = new Writer().varint(1, version).text(2, id);
  if (replyFor !== undefined) envelope.text(3, replyFor);
  return envelope.message(flow, payload);
}

/** A request to the server. */
export function writeRequest({ id, credential }: Sender, field: number, body: Writer): Writer {
  return new Writer()
    .message(1, writeId(id))
    .message(2, writeCredential(credential))
    .message(field, body);
}

/** What a node relays to another. */
export function writeRelay(
  { id, credential }: Sender,
  target: ActrId,
  field: number,
  body: Writer,
): Writer {
  return new Writer()
    .message(1, writeId(id))
    .message(2, writeCredential(credential))
    .message(3, writeId(target))
    .message(field, body);
}

/** What the server says to a node. */
export function writeTold(target: ActrId, field: number, body: Writer): Writer {
  return new Writer().message(1, writeId(target)).message(field, body);
}

/** An ErrorResponse. */
export function writeError(code: number, message: string): Writer {
  return new Writer().varint(1, code).text(2, message);
}

/** The ids in a repeated field. */
export function idsOf(message: Fields | undefined, field: number): ActrId[] {
  return (message?.all(field) ?? []).map((bytes) => readId(new Fields(bytes)));
}
