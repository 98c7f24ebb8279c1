import type { AnyActor } from "../actor.ts";
import type { ActorCaller, CallTarget } from "../actor_client.ts";
import type { Context } from "../context.ts";
import { ActrError } from "../errors.ts";
import { ownKeys } from "../inbound/forward.ts";
import type { Request, Route, RouteTable } from "../inbound/route.ts";
import type { ResolvedRule } from "../protocol/acl.ts";
import {
  actorRoutes,
  decodeAct,
  decodeCreate,
  decodeResolve,
  decodeSend,
  encodeOutcome,
} from "../protocol/actors/actor_calls.ts";
import { callChain } from "../protocol/call_chain.ts";
import { encodeCbor } from "../protocol/cbor/encode.ts";
import { formatActrId } from "../protocol/ids.ts";
import type { Reply } from "../reply.ts";
import type { ActorHost } from "./actor_host.ts";
import { LocalActors } from "./local_actors.ts";
import type { Answer } from "./turns/command.ts";

/** Where an answer goes to. */
interface Asked {
  readonly payload: Uint8Array;
  readonly context: Context;
  readonly reply: Reply<Uint8Array>;
  readonly request: Request;
}

/** What a node says of its actors. */
export interface ActorRouteParts {
  readonly routes: RouteTable;
  readonly actors: Readonly<Record<string, AnyActor>>;
  /** Who may call, where that is not as for the node's other routes. */
  readonly actorRules: readonly ResolvedRule[] | undefined;
}

/**
 * A node's routes, with those by which peers reach its actors, if it has any. None of their calls waits for others of the
 * node, nor holds any up: each actor has turns of its own.
 */
export function withActorRoutes(
  { routes, actors, actorRules }: ActorRouteParts,
  host: () => ActorHost,
): RouteTable {
  if (Object.keys(actors).length === 0) return routes;
  const own = new Map(
    actorServiceRoutes(host, actorRules).map((route) => [route.key, route] as const),
  );
  return { size: routes.size + own.size, get: (key) => own.get(key) ?? routes.get(key) };
}

function actorServiceRoutes(
  host: () => ActorHost,
  rules: readonly ResolvedRule[] | undefined,
): Route[] {
  const route = (key: string, take: (asked: Asked) => void): Route => ({
    key,
    durable: false,
    direct: true,
    // Where it has to queue, as before the node's start has ended.
    keyOf: ownKeys(),
    reentrant: true,
    explicit: true,
    ...(rules && { rules }),
    handle(payload, context, reply, request) {
      take({ payload, context, reply, request });
      return undefined;
    },
  });
  return [
    route(actorRoutes.act, (asked) => act(host(), asked)),
    route(actorRoutes.resolve, (asked) => {
      const { target, request } = decodeResolve(asked.payload);
      answerWithId(host(), target, { ...asked, passedOn: request }, (actors) =>
        actors.resolve(target),
      );
    }),
    route(actorRoutes.create, (asked) => {
      const { name, key, input, request } = decodeCreate(asked.payload);
      answerWithId(host(), { name, key }, { ...asked, passedOn: request }, (actors) =>
        actors.create(name, key, input),
      );
    }),
    route(actorRoutes.send, (asked) => send(host(), asked)),
  ];
}

function act(host: ActorHost, { payload, context, reply, request }: Asked): void {
  const { target, action, args, request: passedOn } = decodeAct(payload);
  host.kinds.requireRoom(target, payload.length);
  const { envelope } = request.message;
  const caller = formatActrId(context.callerId);
  const refusal = passedOn === undefined ? undefined : host.share.refusalOf(caller);
  if (refusal !== undefined) return void reply.fail(refusal);
  const waiting = {
    chain: callChain(envelope.metadata),
    trace: envelope,
    request: passedOn ?? `${context.requestId} of ${caller}`,
  };
  // Whoever passed it on looks again where the actor lives.
  if (passedOn === undefined && !host.share.has(target)) {
    host
      .callerOf(waiting)
      .act(target, action, args)
      .then((output) => reply.send(encodeCbor(output)))
      .catch((error: unknown) => reply.fail(error));
    return;
  }
  const answer: Answer = {
    take(output) {
      const bytes = encodeCbor(output);
      return () => void reply.send(bytes);
    },
    fail: (error) => void reply.fail(error),
  };
  host.act(target, { ...waiting, name: action, args, answer });
}

/** How long the message may be is for its queue to say. */
function send(host: ActorHost, { payload, reply }: Asked): void {
  const { target, queue, body, wait, timeoutMs, request } = decodeSend(payload);
  const options = { wait, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  const actors = request === undefined ? host.callerOf({}) : new LocalActors(host);
  actors.send(target, queue, body, options).then(
    (outcome) => reply.send(encodeOutcome(outcome)),
    (error: unknown) => reply.fail(ActrError.from(error)),
  );
}

function answerWithId(
  host: ActorHost,
  target: CallTarget,
  { payload, reply, passedOn }: Asked & { readonly passedOn: string | undefined },
  ask: (actors: ActorCaller) => Promise<string>,
): void {
  host.kinds.requireRoom(target, payload.length);
  ask(passedOn === undefined ? host.callerOf({}) : new LocalActors(host)).then(
    (id) => reply.send(encodeCbor(id)),
    (error: unknown) => reply.fail(ActrError.from(error)),
  );
}
