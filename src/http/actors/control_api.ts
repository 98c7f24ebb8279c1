import { type Context, Hono } from "hono";
import type { ActorKey } from "../../actor.ts";
import { ActrError } from "../../errors.ts";
import type { ActorAddress } from "../../host/contents.ts";
import type { RequestContext } from "../../ports/sockets.ts";
import { formatActorKey, parseActorKey } from "../../protocol/actors/actor_key.ts";
import { revived } from "../../protocol/actors/escaping.ts";
import { jsonCodec } from "../../protocol/actors/tree_codec.ts";
import { fromBase64 } from "../../protocol/bytes.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { bodyOf, refusal } from "./actor_requests.ts";
import { failureOf } from "./error_answer.ts";
import { checkedKey } from "./gateway_target.ts";
import { type ActorRouteParts, hostOf, requireToken } from "./route_parts.ts";

/** An actor, as the control API shows it (`spec/actor-client.md` §3.2). */
interface ActorObject {
  readonly actor_id: string;
  readonly name: string;
  /** Serialised. */
  readonly key: string;
}

interface CreateRequest {
  readonly name: string;
  readonly key: ActorKey;
  readonly input: unknown;
}

/** Longest body, bytes: the input of an actor is in it. */
const maxBodyBytes = 4 * 1024 * 1024;
const pageSize = 100;

/** `/actors`: looks actors up and makes them (`spec/actor-client.md` §3.3). */
export function controlApi(parts: ActorRouteParts): Hono<{ Bindings: RequestContext }> {
  const app = new Hono<{ Bindings: RequestContext }>();
  app.use(async (c, next) => {
    const [, token] = /^Bearer (.*)$/i.exec(c.req.header("authorization") ?? "") ?? [];
    requireToken(parts.token, token);
    await next();
  });
  app.onError((error) => refusal(jsonCodec, failureOf(error, parts)));
  app.get("/", async (c) => c.json(await lookUp(parts, c)));
  app.put("/", async (c) => {
    const { name, key, input } = await readCreate(parts, c);
    const host = hostOf(parts);
    const known = await host.find({ name, key });
    const id = known?.id ?? (await host.callerOf({}).resolve({ name, key, create: { input } }));
    return c.json({ actor: objectOf({ id, name, key }), created: known === undefined });
  });
  app.post("/", async (c) => {
    const { name, key, input } = await readCreate(parts, c);
    const id = await hostOf(parts).callerOf({}).create(name, key, input);
    return c.json({ actor: objectOf({ id, name, key }) });
  });
  app.delete("/:id", async (c) => {
    await hostOf(parts).stop(c.req.param("id"), "destroy");
    return c.json({});
  });
  return app;
}

async function lookUp(parts: ActorRouteParts, c: Context): Promise<unknown> {
  const host = hostOf(parts);
  const ids = c.req.query("actor_ids");
  if (ids !== undefined) {
    const found = await Promise.all(
      ids
        .split(",")
        .slice(0, pageSize)
        .map((id) => host.find({ id })),
    );
    return { actors: found.filter((each) => each !== undefined).map(objectOf) };
  }
  const name = c.req.query("name");
  if (name === undefined) throw new ActrError("actor.invalid_request", "give actor_ids, or name");
  const key = c.req.query("key");
  if (key !== undefined) {
    const found = await host.find({ name, key: checkedKey(parseActorKey(key)) });
    return { actors: found === undefined ? [] : [objectOf(found)] };
  }
  const cursor = c.req.query("cursor");
  const after = cursor === undefined ? undefined : checkedKey(parseActorKey(cursor));
  const page = await host.list(name, pageSize, after);
  const last = page.length < pageSize ? undefined : page.at(-1);
  return {
    actors: page.map(objectOf),
    pagination: { cursor: last === undefined ? null : formatActorKey(last.key) },
  };
}

async function readCreate(parts: ActorRouteParts, c: Context): Promise<CreateRequest> {
  const body = await bodyOf({ parts, raw: c.req.raw }, maxBodyBytes);
  const { name, key, input } = jsonOf(new TextDecoder().decode(body));
  if (typeof name !== "string") throw new ActrError("actor.invalid_request", "name is missing");
  if (key !== undefined && key !== null && typeof key !== "string") {
    throw new ActrError("actor.invalid_request", "key is no text");
  }
  return { name, key: checkedKey(parseActorKey(key ?? "/")), input: readInput(input) };
}

function readInput(input: unknown): unknown {
  if (input === undefined || input === null) return undefined;
  const bytes = typeof input === "string" ? fromBase64(input) : undefined;
  if (bytes === undefined) throw new ActrError("actor.invalid_request", "input is no base64");
  return revived(decodeCbor(bytes));
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text));
  } catch (cause) {
    throw new ActrError("actor.invalid_request", "the body is no JSON", { cause });
  }
}

function objectOf({
  id,
  name,
  key,
}: ActorAddress): ActorObject & Readonly<Record<string, unknown>> {
  return {
    actor_id: id,
    name,
    key: formatActorKey(key),
    namespace_id: "default",
    datacenter: "local",
    runner_name_selector: "default",
    crash_policy: "sleep",
  };
}
