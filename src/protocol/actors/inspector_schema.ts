/** The form of a field: BARE's own types, or made of them. `data` is CBOR. */
export type Form =
  | "uint"
  | "str"
  | "bool"
  | "data"
  | { readonly optional: Form }
  | { readonly list: Form }
  | { readonly fields: Fields };

/** Fields by name, in their order on the wire. */
export interface Fields {
  readonly [name: string]: Form;
}

/** What a field of a form holds. */
export type ValueOf<F> = F extends "uint"
  ? bigint
  : F extends "str"
    ? string
    : F extends "bool"
      ? boolean
      : F extends "data"
        ? Uint8Array
        : F extends { readonly optional: infer Inner }
          ? ValueOf<Inner> | undefined
          : F extends { readonly list: infer Inner }
            ? readonly ValueOf<Inner>[]
            : F extends { readonly fields: infer Inner }
              ? FieldsOf<Inner>
              : never;

/** What a message of some fields holds. */
export type FieldsOf<F> = { readonly [Name in keyof F]: ValueOf<F[Name]> };

const id = { id: "uint" } as const;
const rid = { rid: "uint" } as const;
const connections = { list: { fields: { id: "str", details: "data" } } } as const;
const history = { history: { optional: "data" }, isWorkflowEnabled: "bool" } as const;

/** What an inspector sends (`spec/actor-host.md` §16.3). */
export const requestForms = {
  PatchStateRequest: { state: "data" },
  StateRequest: id,
  ConnectionsRequest: id,
  ActionRequest: { ...id, name: "str", args: "data" },
  RpcsListRequest: id,
  TraceQueryRequest: { ...id, startMs: "uint", endMs: "uint", limit: "uint" },
  QueueRequest: { ...id, limit: "uint" },
  WorkflowHistoryRequest: id,
  WorkflowReplayRequest: { ...id, entryId: { optional: "str" } },
  DatabaseSchemaRequest: id,
  DatabaseTableRowsRequest: { ...id, table: "str", limit: "uint", offset: "uint" },
} as const satisfies Readonly<Record<string, Fields>>;

/** What it is sent. */
export const answerForms = {
  StateResponse: { ...rid, state: { optional: "data" }, isStateEnabled: "bool" },
  ConnectionsResponse: { ...rid, connections },
  ActionResponse: { ...rid, output: "data" },
  ConnectionsUpdated: { connections },
  QueueUpdated: { queueSize: "uint" },
  StateUpdated: { state: "data" },
  WorkflowHistoryUpdated: { history: "data" },
  RpcsListResponse: { ...rid, rpcs: { list: "str" } },
  TraceQueryResponse: { ...rid, payload: "data" },
  QueueResponse: {
    ...rid,
    status: {
      fields: {
        size: "uint",
        maxSize: "uint",
        messages: { list: { fields: { id: "uint", name: "str", createdAtMs: "uint" } } },
        truncated: "bool",
      },
    },
  },
  WorkflowHistoryResponse: { ...rid, ...history },
  WorkflowReplayResponse: { ...rid, ...history },
  Error: { message: "str" },
  Init: {
    connections,
    state: { optional: "data" },
    isStateEnabled: "bool",
    rpcs: { list: "str" },
    isDatabaseEnabled: "bool",
    queueSize: "uint",
    workflowHistory: { optional: "data" },
    isWorkflowEnabled: "bool",
  },
  DatabaseSchemaResponse: { ...rid, schema: "data" },
  DatabaseTableRowsResponse: { ...rid, result: "data" },
  /** Ours, in JSON alone: where the actor is in its life. */
  LifecycleUpdated: { lifecycle: "str" },
} as const satisfies Readonly<Record<string, Fields>>;

type Messages<Forms> = {
  readonly [Tag in keyof Forms]: { readonly tag: Tag; readonly val: FieldsOf<Forms[Tag]> };
}[keyof Forms];

/** One message of an inspector. */
export type InspectorRequest = Messages<typeof requestForms>;

/** One message to an inspector. */
export type InspectorAnswer = Messages<typeof answerForms>;

/** One encoding of them. */
export interface InspectorCodec {
  /** A message to an inspector; undefined where its version has none such. */
  write(answer: InspectorAnswer): string | Uint8Array | undefined;
  /** @throws ActrError `decode_failure`, `protocol.unsupported_encoding`. */
  read(frame: string | Uint8Array): InspectorRequest;
}
