import type {
  ActorInspection,
  ConnectionView,
  QueueView,
} from "../../host/inspection/inspection.ts";
import type { QueueRow } from "../../host/queues/queue_row.ts";
import type { ScheduleRow } from "../../host/schedules/schedule_row.ts";
import type { HistoryEntry, WorkflowHistory } from "../../host/workflow/history.ts";
import { formatActorKey } from "../../protocol/actors/actor_key.ts";
import { plainOf } from "../../protocol/actors/plain.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";

/** What is shown of an actor, as JSON; values of actors as `plainOf` shows them. Times are Unix milliseconds. */
export interface SummaryJson {
  readonly id: string;
  readonly name: string;
  /** Serialised. */
  readonly key: string;
  readonly lifecycle: string;
  /** Why it does not fall asleep; null when it may, or sleeps. */
  readonly awakeReason: string | null;
  readonly createdAt: number;
  readonly stateVersion: number;
  /** Turns that go on, and that wait. */
  readonly turns: { readonly running: number; readonly waiting: number };
  readonly state: unknown;
  readonly isStateEnabled: boolean;
  readonly connections: readonly ConnectionJson[];
  readonly rpcs: readonly string[];
  readonly queueSize: number;
  readonly isDatabaseEnabled: boolean;
  readonly workflowSupported: boolean;
  readonly workflowHistory: unknown;
}

/** One client (`spec/actor-host.md` §16.3). */
export interface ConnectionJson {
  readonly id: string;
  readonly details: unknown;
}

/** What is shown of one client. */
export interface ConnectionDetails {
  readonly type: null;
  readonly params: unknown;
  readonly stateEnabled: boolean;
  readonly state: unknown;
  readonly subscriptions: number;
  readonly events: readonly string[];
  readonly isHibernatable: boolean;
}

/** The first messages of an actor's queues. */
export interface QueueJson {
  readonly size: number;
  readonly maxSize: number;
  readonly truncated: boolean;
  readonly messages: readonly MessageJson[];
}

/** One message. */
export interface MessageJson {
  readonly id: number;
  readonly name: string;
  readonly createdAtMs: number;
  readonly availableAtMs: number;
  /** How often it was handed out. */
  readonly attempts: number;
  readonly bytes: number;
  /** Absent where it is large. */
  readonly body?: unknown;
}

/** One schedule. */
export interface ScheduleJson {
  readonly id: string;
  readonly name: string | null;
  readonly action: string;
  readonly args: unknown;
  readonly dueAt: number;
  readonly nextAt: number;
  readonly everyMs: number | null;
  readonly cron: string | null;
  readonly timeZone: string | null;
  readonly failures: number;
  readonly maxRetries: number;
}

/** Bodies of messages that have more bytes are not shown. */
const maxBodyShown = 4_096;

/** All of an actor at a glance. */
export async function summaryJson(inspection: ActorInspection): Promise<SummaryJson> {
  const { id, record, lifecycle, instance, hasState } = inspection;
  const [state, queueSize, connections, workflow] = await Promise.all([
    inspection.encodedState(),
    inspection.queueSize(),
    inspection.connections(),
    inspection.workflow(),
  ]);
  return {
    id,
    name: record.name,
    key: formatActorKey(record.key),
    lifecycle,
    awakeReason: instance?.awakeReason ?? null,
    createdAt: record.createdAt,
    stateVersion: record.stateVersion,
    turns: {
      running: instance?.actions.turns.running ?? 0,
      waiting: instance?.actions.turns.waiting ?? 0,
    },
    state: stateJson(state),
    isStateEnabled: hasState,
    connections: connections.map(connectionJson),
    rpcs: inspection.actions,
    queueSize,
    isDatabaseEnabled: inspection.hasDatabase,
    workflowSupported: inspection.hasWorkflow,
    workflowHistory: historyJson(workflow),
  };
}

/** One client. */
export function connectionJson(view: ConnectionView): ConnectionJson {
  return { id: view.id, details: plainOf(connectionDetails(view)) };
}

/** What is shown of one client. */
export function connectionDetails(view: ConnectionView): ConnectionDetails {
  const { params, state, events, hibernates } = view;
  const subscriptions = events.length;
  return {
    type: null,
    params,
    stateEnabled: true,
    state,
    subscriptions,
    events,
    isHibernatable: hibernates,
  };
}

/** What a workflow has done; null for none. */
export function historyJson(history: WorkflowHistory | undefined): unknown {
  if (history === undefined) return null;
  const { state, output, error, entries } = history;
  return { state, output: plainOf(output), error: error ?? null, entries: entries.map(entryJson) };
}

function entryJson({ detail, ...entry }: HistoryEntry): unknown {
  const { startedAt, endedAt, wakesAt, error, rolledBackAt, rollbackError, ...rest } = entry;
  return {
    ...rest,
    detail: plainOf(detail),
    startedAt: startedAt ?? null,
    endedAt: endedAt ?? null,
    wakesAt: wakesAt ?? null,
    error: error ?? null,
    rolledBackAt: rolledBackAt ?? null,
    rollbackError: rollbackError ?? null,
  };
}

/** A state. */
export function stateJson(encoded: Uint8Array | undefined): unknown {
  return encoded === undefined ? null : plainOf(decodeCbor(encoded));
}

/** The messages of an actor's queues. */
export function queueJson({ size, maxSize, truncated, messages }: QueueView): QueueJson {
  return { size, maxSize, truncated, messages: messages.map(messageJson) };
}

function messageJson({ seq, name, sentAt, availableAt, attempts, body }: QueueRow): MessageJson {
  const bytes = body.length;
  const shown = bytes > maxBodyShown ? {} : { body: plainOf(decodeCbor(body)) };
  return {
    id: seq,
    name,
    createdAtMs: sentAt,
    availableAtMs: availableAt,
    attempts,
    bytes,
    ...shown,
  };
}

/** One schedule. */
export function scheduleJson(row: ScheduleRow): ScheduleJson {
  const { id, name, action, args, dueAt, nextAt, everyMs, cron, timeZone, failures } = row;
  return {
    id,
    name: name ?? null,
    action,
    args: plainOf(args),
    dueAt,
    nextAt,
    everyMs: everyMs ?? null,
    cron: cron ?? null,
    timeZone: timeZone ?? null,
    failures,
    maxRetries: row.maxRetries,
  };
}
