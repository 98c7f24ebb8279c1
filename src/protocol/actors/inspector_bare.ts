import { ActrError } from "../../errors.ts";
import { BareReader, BareWriter } from "./bare.ts";
import {
  answerForms,
  type Fields,
  type Form,
  type InspectorAnswer,
  type InspectorCodec,
  type InspectorRequest,
  requestForms,
} from "./inspector_schema.ts";

type RequestTag = keyof typeof requestForms;
type AnswerTag = keyof typeof answerForms;

/** Messages of one version, in the order of their unions. */
interface Version {
  readonly requests: readonly RequestTag[];
  readonly answers: readonly AnswerTag[];
}

/** The version that is written to who has not said which it speaks (`spec/actor-host.md` §16.3). */
const inspectorVersion = 4;

const database: readonly RequestTag[] = ["DatabaseSchemaRequest", "DatabaseTableRowsRequest"];
const databaseAnswers: readonly AnswerTag[] = [
  "DatabaseSchemaResponse",
  "DatabaseTableRowsResponse",
];

const requests: readonly RequestTag[] = [
  "PatchStateRequest",
  "StateRequest",
  "ConnectionsRequest",
  "ActionRequest",
  "RpcsListRequest",
  "TraceQueryRequest",
  "QueueRequest",
  "WorkflowHistoryRequest",
];

const answers: readonly AnswerTag[] = [
  "StateResponse",
  "ConnectionsResponse",
  "ActionResponse",
  "ConnectionsUpdated",
  "QueueUpdated",
  "StateUpdated",
  "WorkflowHistoryUpdated",
  "RpcsListResponse",
  "TraceQueryResponse",
  "QueueResponse",
  "WorkflowHistoryResponse",
];

const versions: ReadonlyMap<number, Version> = new Map([
  [2, { requests, answers: [...answers, "Error", "Init"] }],
  [
    3,
    {
      requests: [...requests, ...database],
      answers: [...answers, "Error", "Init", ...databaseAnswers],
    },
  ],
  [
    4,
    {
      requests: [...requests, "WorkflowReplayRequest", ...database],
      answers: [...answers, "WorkflowReplayResponse", "Error", "Init", ...databaseAnswers],
    },
  ],
]);

/** Frames begin with the version, u16 little endian; answers have that of the last request. */
export class InspectorBareCodec implements InspectorCodec {
  #version = inspectorVersion;

  write({ tag, val }: InspectorAnswer): Uint8Array | undefined {
    const index = versions.get(this.#version)?.answers.indexOf(tag) ?? -1;
    if (index < 0) return undefined;
    const writer = new BareWriter().byte(this.#version).byte(0).uint(BigInt(index));
    writeFields(writer, answerForms[tag], val);
    return writer.finish();
  }

  read(frame: string | Uint8Array): InspectorRequest {
    if (typeof frame === "string") throw broken("is text; this encoding has bytes");
    const reader = new BareReader(frame);
    const number = reader.byte() | (reader.byte() << 8);
    const version = versions.get(number);
    if (version === undefined) {
      const known = [...versions.keys()].join(", ");
      const message = `version ${number} of the inspector's protocol is unknown; use one of ${known}`;
      throw new ActrError("protocol.unsupported_encoding", message);
    }
    const tag = version.requests[Number(reader.uint())];
    if (tag === undefined) throw broken("is none of its version");
    const val = readFields(reader, requestForms[tag]);
    reader.end();
    this.#version = number;
    return { tag, val } as InspectorRequest;
  }
}

function writeFields(writer: BareWriter, fields: Fields, value: object): void {
  for (const [name, form] of Object.entries(fields)) {
    writeForm(writer, form, (value as Readonly<Record<string, unknown>>)[name]);
  }
}

function writeForm(writer: BareWriter, form: Form, value: unknown): void {
  if (form === "uint") writer.uint(value as bigint);
  else if (form === "str") writer.str(value as string);
  else if (form === "bool") writer.bool(value as boolean);
  else if (form === "data") writer.data(value as Uint8Array);
  else if ("optional" in form) {
    writer.optional(value, (inner) => writeForm(writer, form.optional, inner));
  } else if ("list" in form) {
    const list = value as readonly unknown[];
    writer.uint(BigInt(list.length));
    for (const each of list) writeForm(writer, form.list, each);
  } else writeFields(writer, form.fields, value as object);
}

/** Requests have neither lists nor structures. */
function readFields(reader: BareReader, fields: Fields): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, form]) => [name, readForm(reader, form)]);
  return Object.fromEntries(entries);
}

function readForm(reader: BareReader, form: Form): unknown {
  if (form === "uint") return reader.uint();
  if (form === "bool") return reader.bool();
  if (form === "data") return reader.data();
  if (typeof form === "object" && "optional" in form) {
    return reader.optional(() => readForm(reader, form.optional));
  }
  return reader.str();
}

function broken(what: string): ActrError {
  return new ActrError("decode_failure", `the message ${what}`);
}
