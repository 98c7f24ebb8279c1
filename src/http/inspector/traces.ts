import type { ActorInspection } from "../../host/inspection/inspection.ts";
import type { TracedTurn, TraceQuery } from "../../host/inspection/inspection_trace.ts";
import { formatActorKey } from "../../protocol/actors/actor_key.ts";

/** Spans as OTLP has them in JSON, of the turns that ended while somebody looked at the actor. */
export interface TracesJson {
  readonly otlp: { readonly resourceSpans: readonly unknown[] };
  /** Whether there were more. */
  readonly clamped: boolean;
}

/** OTLP's kind of a span within a process, and its status of a failure. */
const internalKind = 1;
const errorStatus = 2;

/** The turns of an actor (`spec/actor-host.md` §16.3). */
export function tracesJson(actor: ActorInspection, query: TraceQuery): TracesJson {
  const { turns, clamped } = actor.turns(query);
  const resource = {
    attributes: [
      text("service.name", actor.record.name),
      text("actor.id", actor.id),
      text("actor.key", formatActorKey(actor.record.key)),
    ],
  };
  const scopeSpans = [{ scope: { name: "roost" }, spans: turns.map(spanOf) }];
  return { otlp: { resourceSpans: [{ resource, scopeSpans }] }, clamped };
}

function spanOf(turn: TracedTurn): object {
  const { traceId, spanId, action, startedAt, endedAt, errorCode } = turn;
  const attributes = [
    text("action", action),
    ...(turn.connectionId === undefined ? [] : [text("connection.id", turn.connectionId)]),
    ...(turn.scheduleId === undefined ? [] : [text("schedule.id", turn.scheduleId)]),
  ];
  return {
    traceId,
    spanId,
    name: `actor.action.${action}`,
    kind: internalKind,
    startTimeUnixNano: nanos(startedAt),
    endTimeUnixNano: nanos(endedAt),
    attributes,
    status: errorCode === undefined ? {} : { code: errorStatus, message: errorCode },
  };
}

function text(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}

function nanos(ms: number): string {
  return String(BigInt(Math.floor(ms)) * 1_000_000n);
}
