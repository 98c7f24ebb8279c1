import { ActrError, assertNever } from "../../errors.ts";
import type { ActorInspection } from "../../host/inspection/inspection.ts";
import { readRows, readTables } from "../../host/inspection/inspection_database.ts";
import type { WatchedPart } from "../../host/inspection/inspection_watch.ts";
import type { WorkflowHistory } from "../../host/workflow/history.ts";
import type { InspectorAnswer, InspectorRequest } from "../../protocol/actors/inspector_schema.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import { tracesJson } from "./traces.ts";
import { connectionDetails } from "./views.ts";

/** Messages of a queue, and turns, of one answer (`spec/actor-host.md` §16.3). */
const maxQueueLimit = 200n;
const maxTraceLimit = 500n;

type Val<Tag extends InspectorAnswer["tag"]> = Extract<InspectorAnswer, { tag: Tag }>["val"];

/** All of an actor, for an inspector that has just come. */
export async function initOf(actor: ActorInspection): Promise<InspectorAnswer> {
  const [state, queueSize, connections, history] = await Promise.all([
    actor.encodedState(),
    actor.queueSize(),
    connectionsOf(actor),
    actor.workflow(),
  ]);
  const val = {
    connections,
    state,
    isStateEnabled: actor.hasState,
    rpcs: actor.actions,
    isDatabaseEnabled: actor.hasDatabase,
    queueSize: BigInt(queueSize),
    workflowHistory: history && encodeCbor(history),
    isWorkflowEnabled: actor.hasWorkflow,
  };
  return { tag: "Init", val };
}

/** What an inspector is told of a part that has changed. */
export async function updateOf(
  actor: ActorInspection,
  part: WatchedPart,
): Promise<InspectorAnswer> {
  switch (part) {
    case "connections":
      return { tag: "ConnectionsUpdated", val: { connections: await connectionsOf(actor) } };
    case "queue":
      return { tag: "QueueUpdated", val: { queueSize: BigInt(await actor.queueSize()) } };
    case "workflow":
      return {
        tag: "WorkflowHistoryUpdated",
        val: { history: encodeCbor(await actor.workflow()) },
      };
    case "lifecycle":
      return { tag: "LifecycleUpdated", val: { lifecycle: actor.lifecycle } };
    default:
      return assertNever(part);
  }
}

/** Does what an inspector asks for; undefined where nothing is answered. @throws ActrError what that failed with. */
export async function answerRequest(
  actor: ActorInspection,
  { tag, val }: InspectorRequest,
): Promise<InspectorAnswer | undefined> {
  switch (tag) {
    case "PatchStateRequest":
      await actor.setState(decodeCbor(val.state));
      return undefined;
    case "StateRequest":
      return { tag: "StateResponse", val: await stateOf(actor, val.id) };
    case "ConnectionsRequest":
      return {
        tag: "ConnectionsResponse",
        val: { rid: val.id, connections: await connectionsOf(actor) },
      };
    case "ActionRequest": {
      const output = await actor.act(val.name, argumentsOf(val.args));
      return { tag: "ActionResponse", val: { rid: val.id, output } };
    }
    case "RpcsListRequest":
      return { tag: "RpcsListResponse", val: { rid: val.id, rpcs: actor.actions } };
    case "TraceQueryRequest": {
      const { id: rid, startMs, endMs, limit } = val;
      const query = { startMs: Number(startMs), endMs: Number(endMs) };
      const most = Number(limit < maxTraceLimit ? limit : maxTraceLimit);
      const payload = encodeCbor(tracesJson(actor, { ...query, limit: most }));
      return { tag: "TraceQueryResponse", val: { rid, payload } };
    }
    case "QueueRequest":
      return { tag: "QueueResponse", val: await queueOf(actor, val.id, val.limit) };
    case "WorkflowHistoryRequest": {
      const history = historyOf(actor, await actor.workflow());
      return { tag: "WorkflowHistoryResponse", val: { rid: val.id, ...history } };
    }
    case "WorkflowReplayRequest": {
      const history = historyOf(actor, await actor.replay(val.entryId));
      return { tag: "WorkflowReplayResponse", val: { rid: val.id, ...history } };
    }
    case "DatabaseSchemaRequest": {
      const schema = encodeCbor({ tables: await actor.inDatabase(readTables) });
      return { tag: "DatabaseSchemaResponse", val: { rid: val.id, schema } };
    }
    case "DatabaseTableRowsRequest": {
      const { id: rid, table } = val;
      const query = { table, limit: numberOf(val.limit), offset: numberOf(val.offset) };
      const rows = await actor.inDatabase((sql) => readRows(sql, query));
      return { tag: "DatabaseTableRowsResponse", val: { rid, result: encodeCbor(rows) } };
    }
    default:
      return assertNever(tag);
  }
}

function historyOf(
  actor: ActorInspection,
  history: WorkflowHistory | undefined,
): Omit<Val<"WorkflowHistoryResponse">, "rid"> {
  return { history: history && encodeCbor(history), isWorkflowEnabled: actor.hasWorkflow };
}

async function connectionsOf(
  actor: ActorInspection,
): Promise<Val<"ConnectionsUpdated">["connections"]> {
  return (await actor.connections()).map((view) => {
    return { id: view.id, details: encodeCbor(connectionDetails(view)) };
  });
}

async function stateOf(actor: ActorInspection, rid: bigint): Promise<Val<"StateResponse">> {
  return { rid, state: await actor.encodedState(), isStateEnabled: actor.hasState };
}

async function queueOf(
  actor: ActorInspection,
  rid: bigint,
  limit: bigint,
): Promise<Val<"QueueResponse">> {
  const shown = Number(limit < maxQueueLimit ? limit : maxQueueLimit);
  const { size, maxSize, truncated, messages } = await actor.queue(shown);
  const summaries = messages.map(({ seq, name, sentAt }) => {
    return { id: BigInt(seq), name, createdAtMs: BigInt(sentAt) };
  });
  const status = {
    size: BigInt(size),
    maxSize: BigInt(maxSize),
    messages: summaries,
    truncated,
  };
  return { rid, status };
}

/** The largest number that is exact stands for all beyond it. */
function numberOf(value: bigint): number {
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}

function argumentsOf(encoded: Uint8Array): readonly unknown[] {
  const args = decodeCbor(encoded);
  if (Array.isArray(args)) return args;
  throw new ActrError("actor.invalid_request", "args is no array");
}
