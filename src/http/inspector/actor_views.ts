import { ActrError } from "../../errors.ts";
import { ActorInspection, type InspectionParts } from "../../host/inspection/inspection.ts";
import type { WorkflowHistory } from "../../host/workflow/history.ts";
import type { Clock } from "../../ports/clock.ts";
import { plainOf, valueOfPlain } from "../../protocol/actors/plain.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { readBody } from "../../read_body.ts";
import { executeJson, queryJson, rowsJson, schemaJson } from "./database.ts";
import { tracesJson } from "./traces.ts";
import {
  connectionJson,
  historyJson,
  queueJson,
  scheduleJson,
  stateJson,
  summaryJson,
} from "./views.ts";

/** What is asked of one actor. */
export interface Asked {
  readonly method: string;
  /** What follows the actor: `/state`. */
  readonly path: string;
  readonly request: Request;
}

/** What a view is made of. */
interface Question {
  readonly actor: ActorInspection;
  readonly query: URLSearchParams;
  /** The body, JSON of one object; `{}` where there is none. */
  readonly body: () => Promise<Readonly<Record<string, unknown>>>;
}

/** Longest body, bytes: a state is in it. */
const maxBodyBytes = 4 * 1024 * 1024;
/** Messages, runs and values of one answer (`spec/actor-host.md` §16.3). */
const usualLimit = 100;
const maxLimit = 500;

/** The surface of one actor (`spec/actor-host.md` §16.3), and what is ours: schedules and values. */
const views: Readonly<Record<string, (question: Question) => unknown>> = {
  "GET /summary": ({ actor }) => summaryJson(actor),
  "GET /state": async ({ actor }) => ({
    state: stateJson(await actor.encodedState()),
    isStateEnabled: actor.hasState,
  }),
  "PATCH /state": async ({ actor, body }) => {
    const { state } = await body();
    await actor.setState(valueOfPlain(state));
    return { ok: true };
  },
  "GET /connections": async ({ actor }) => ({
    connections: (await actor.connections()).map(connectionJson),
  }),
  "GET /rpcs": ({ actor }) => ({ rpcs: actor.actions }),
  "GET /workflow-history": async ({ actor }) => workflowJson(actor, await actor.workflow()),
  "POST /workflow/replay": async ({ actor, body }) => {
    const { entryId } = await body();
    if (entryId !== undefined && typeof entryId !== "string") throw invalid("entryId is no text");
    return workflowJson(actor, await actor.replay(entryId));
  },
  "GET /database/schema": ({ actor }) => schemaJson(actor),
  "GET /database/rows": ({ actor, query }) => rowsJson(actor, query, limitOf(query)),
  "POST /database/query": async ({ actor, body }) => queryJson(actor, await body()),
  "POST /database/execute": async ({ actor, body }) => executeJson(actor, await body()),
  "GET /traces": ({ actor, query }) => {
    const startMs = timeOf(query, "startMs", 0);
    const endMs = timeOf(query, "endMs", Number.MAX_SAFE_INTEGER);
    return tracesJson(actor, { startMs, endMs, limit: limitOf(query) });
  },
  "GET /queue": async ({ actor, query }) => queueJson(await actor.queue(limitOf(query))),
  "GET /schedules": async ({ actor, query }) => ({
    schedules: (await actor.schedules()).map(scheduleJson),
    runs: await actor.runs(limitOf(query)),
  }),
  "GET /values": async ({ actor, query }) => {
    const limit = limitOf(query);
    const values = await actor.values(query.get("after") ?? "", limit);
    return {
      values: values.map(({ key, value }) => ({ key, value: plainOf(value) })),
      next: values.length < limit ? null : (values.at(-1)?.key ?? null),
    };
  },
};

/**
 * Answers what is asked of an actor with what becomes JSON.
 * @throws ActrError `actor.not_found`, also for a view that there is none of, `actor.invalid_request`, and what an action throws.
 */
export async function answerInspection(
  parts: InspectionParts,
  id: string,
  { method, path, request }: Asked,
): Promise<unknown> {
  const actor = await ActorInspection.open(parts, id);
  const question: Question = {
    actor,
    query: new URL(request.url).searchParams,
    body: () => readObject(request, parts.clock),
  };
  const [, action] = /^\/action\/([^/]+)$/.exec(path) ?? [];
  if (method === "POST" && action !== undefined) {
    return await runAction(question, decodeURIComponent(action));
  }
  const view = views[`${method} ${path}`];
  if (view !== undefined) return await view(question);
  throw new ActrError("actor.not_found", `there is no ${method} ${path} of an actor`);
}

function workflowJson(actor: ActorInspection, history: WorkflowHistory | undefined): unknown {
  return { history: historyJson(history), isWorkflowEnabled: actor.hasWorkflow };
}

async function runAction({ actor, body }: Question, name: string): Promise<unknown> {
  const { args = [] } = await body();
  if (!Array.isArray(args)) throw invalid("args is no array");
  const output = await actor.act(
    name,
    args.map((each) => valueOfPlain(each)),
  );
  return { output: plainOf(decodeCbor(output)) };
}

function limitOf(query: URLSearchParams): number {
  const text = query.get("limit");
  const limit = text === null ? usualLimit : Number(text);
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= maxLimit) return limit;
  throw invalid(`limit is ${text}; it is a whole number from 1 to ${maxLimit}`);
}

function timeOf(query: URLSearchParams, name: string, usual: number): number {
  const text = query.get(name);
  const time = text === null ? usual : Number(text);
  if (Number.isSafeInteger(time) && time >= 0) return time;
  throw invalid(`${name} is ${text}; it is a time in Unix milliseconds`);
}

async function readObject(
  request: Request,
  clock: Clock,
): Promise<Readonly<Record<string, unknown>>> {
  const text = new TextDecoder().decode(await readBody(request, { maxBytes: maxBodyBytes, clock }));
  let value: unknown;
  try {
    value = JSON.parse(text === "" ? "{}" : text);
  } catch (cause) {
    throw new ActrError("actor.invalid_request", "the body is no JSON", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalid("the body is no object");
}

function invalid(message: string): ActrError {
  return new ActrError("actor.invalid_request", message);
}
