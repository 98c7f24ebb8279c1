import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { ActrError, type ErrorCode } from "../errors.ts";
import type { InspectionParts } from "../host/inspection/inspection.ts";
import type { AlarmQuery } from "../inspector/alarms.ts";
import type { Inspector, LetterQuery } from "../inspector/inspector.ts";
import { readSelection } from "../inspector/selection.ts";
import type { RequestContext } from "../ports/sockets.ts";
import { statusOf } from "./actors/error_answer.ts";
import { listActors } from "./inspector/actor_list.ts";
import { answerInspection } from "./inspector/actor_views.ts";
import type { InspectorSockets } from "./inspector/connect.ts";
import { pageAnswer } from "./inspector/page_answer.ts";
import { bearerOf, isToken } from "./inspector/token.ts";

/** What the inspection needs of the node. */
export interface InspectParts {
  /** None while the node starts. */
  readonly inspector: () => Inspector | undefined;
  /** Where its actors are; none while it starts, or where it has none. */
  readonly actors: () => InspectionParts | undefined;
  /** Inspectors that are told of changes. */
  readonly sockets: InspectorSockets;
  /** Who knows it may look and operate. */
  readonly token: string;
}

/** Longest request body, bytes. */
const maxBodyBytes = 16_384;

/** Longest id or category that is looked at, UTF-16 units. */
const maxTextLength = 1_024;

type App = Hono<{ Bindings: RequestContext }>;

/** `/inspect`: a page; `/inspect/*`: mailbox, dead letters, alarms and actors, for who has the token. */
export function inspectApp(parts: InspectParts): App {
  const app: App = new Hono();
  const inspector = (): Inspector => {
    const found = parts.inspector();
    if (found !== undefined) return found;
    throw new ActrError("unavailable", "the node is starting", { retryAfterMs: 1_000 });
  };
  app.get("/", () => pageAnswer());
  app.get("/actors/:id/connect", async (c, next) => {
    return parts.sockets.connect(c, async () => c.req.param("id")) ?? (await next());
  });
  app.use(async (c, next) => {
    c.header("cache-control", "no-store");
    if (!(await isToken(bearerOf(c.req.header("authorization")), parts.token))) {
      const message = "send the inspection token: authorization: Bearer TOKEN";
      c.header("www-authenticate", "Bearer");
      return c.json({ error: { code: "permission_denied", message } }, 401);
    }
    return next();
  });
  app.get("/actors", async (c) =>
    c.json(await listActors(parts.actors()?.host, new URL(c.req.url).searchParams)),
  );
  app.all("/actors/:id/*", async (c) => {
    const actors = parts.actors();
    if (actors === undefined) throw new ActrError("not_found", "this node has no actors yet");
    const { method } = c.req;
    const [, path = ""] = /\/actors\/[^/]+(.*)$/.exec(c.req.path) ?? [];
    return c.json(
      await answerInspection(actors, c.req.param("id"), { method, path, request: c.req.raw }),
    );
  });
  app.use(bodyLimit({ maxSize: maxBodyBytes, onError: tooLong }));
  app.get("/mailbox", async (c) => c.json(await inspector().mailbox()));
  app.get("/dead-letters", async (c) =>
    c.json(await inspector().deadLetters(letterQuery(c.req.query()))),
  );
  app.get("/dead-letters/:id", async (c) =>
    c.json(await inspector().deadLetter(bounded("id", c.req.param("id")))),
  );
  app.get("/alarms", async (c) => c.json(await inspector().alarms(alarmQuery(c.req.query()))));
  app.post("/dead-letters/redrive", async (c) =>
    c.json(await inspector().redrive(readSelection(jsonOf(await c.req.text())))),
  );
  app.post("/dead-letters/purge", async (c) =>
    c.json(await inspector().purge(readSelection(jsonOf(await c.req.text())))),
  );
  app.notFound((c) =>
    c.json({ error: { code: "unknown_route", message: "there is no such view" } }, 404),
  );
  app.onError((thrown, c) => {
    const error = ActrError.from(thrown);
    const { code, message, retryAfterMs } = error;
    if (retryAfterMs !== undefined) c.header("retry-after", String(Math.ceil(retryAfterMs / 1000)));
    return c.json(
      { error: { code, message } },
      statuses[code] ?? (statusOf(error) as ContentfulStatusCode),
    );
  });
  return app;
}

const statuses: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  invalid_argument: 400,
  not_found: 404,
  overloaded: 429,
  storage: 503,
  lease_lost: 503,
  unavailable: 503,
};

function tooLong(): Response {
  const message = `the request is longer than ${maxBodyBytes} bytes`;
  return Response.json({ error: { code: "invalid_argument", message } }, { status: 413 });
}

function letterQuery(query: Readonly<Record<string, string>>): LetterQuery {
  const { category, from, limit, after, ...rest } = query;
  refuseUnknown(rest, "category, from, limit and after");
  return {
    ...(category === undefined ? {} : { category: bounded("category", category) }),
    ...(from === undefined ? {} : { from: bounded("from", from) }),
    ...pageOf(limit, after),
  };
}

function alarmQuery(query: Readonly<Record<string, string>>): AlarmQuery {
  const { limit, after, ...rest } = query;
  refuseUnknown(rest, "limit and after");
  return pageOf(limit, after);
}

function pageOf(limit: string | undefined, after: string | undefined): AlarmQuery {
  return {
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(after === undefined ? {} : { after: bounded("after", after) }),
  };
}

function refuseUnknown(rest: Readonly<Record<string, string>>, known: string): void {
  const [unknown] = Object.keys(rest);
  if (unknown === undefined) return;
  throw new ActrError("invalid_argument", `${unknown} is unknown; use ${known}`);
}

function bounded(name: string, text: string): string {
  if (text !== "" && text.length <= maxTextLength) return text;
  throw new ActrError("invalid_argument", `${name} must have 1 to ${maxTextLength} characters`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ActrError("invalid_argument", "the body is no JSON");
  }
}
