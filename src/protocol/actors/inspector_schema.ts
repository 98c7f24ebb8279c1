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

/** What an inspector sends (`spec/actor-host.md` §16.3). */
export const requestForms = {
  PatchStateRequest: { state: "data" },
  StateRequest: { id: "uint" },
  ConnectionsRequest: { id: "uint" },
  ActionRequest: { id: "uint", name: "str", args: "data" },
  RpcsListRequest: { id: "uint" },
  TraceQueryRequest: { id: "uint", startMs: "uint", endMs: "uint", limit: "uint" },
  QueueRequest: { id: "uint", limit: "uint" },
  WorkflowHistoryRequest: { id: "uint" },
  WorkflowReplayRequest: { id: "uint", entryId: { optional: "str" } },
  DatabaseSchemaRequest: { id: "uint" },
  DatabaseTableRowsRequest: { id: "uint", table: "str", limit: "uint", offset: "uint" },
} as const;

/** What it is sent. */
export const answerForms = {
  StateResponse: { rid: "uint", state: { optional: "data" }, isStateEnabled: "bool" },
  ConnectionsResponse: {
    rid: "uint",
    connections: { list: { fields: { id: "str", details: "data" } } },
  },
  ActionResponse: { rid: "uint", output: "data" },
  ConnectionsUpdated: { connections: { list: { fields: { id: "str", details: "data" } } } },
  QueueUpdated: { queueSize: "uint" },
  StateUpdated: { state: "data" },
  WorkflowHistoryUpdated: { history: "data" },
  RpcsListResponse: { rid: "uint", rpcs: { list: "str" } },
  TraceQueryResponse: { rid: "uint", payload: "data" },
  QueueResponse: {
    rid: "uint",
    status: {
      fields: {
        size: "uint",
        maxSize: "uint",
        messages: { list: { fields: { id: "uint", name: "str", createdAtMs: "uint" } } },
        truncated: "bool",
      },
    },
  },
  WorkflowHistoryResponse: {
    rid: "uint",
    history: { optional: "data" },
    isWorkflowEnabled: "bool",
  },
  WorkflowReplayResponse: { rid: "uint", history: { optional: "data" }, isWorkflowEnabled: "bool" },
  Error: { message: "str" },
  Init: {
    connections: { list: { fields: { id: "str", details: "data" } } },
    state: { optional: "data" },
    isStateEnabled: "bool",
    rpcs: { list: "str" },
    isDatabaseEnabled: "bool",
    queueSize: "uint",
    workflowHistory: { optional: "data" },
    isWorkflowEnabled: "bool",
  },
  DatabaseSchemaResponse: { rid: "uint", schema: "data" },
  DatabaseTableRowsResponse: { rid: "uint", result: "data" },
  /** Ours, in JSON alone: where the actor is in its life. */
  LifecycleUpdated: { lifecycle: "str" },
} as const;

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
