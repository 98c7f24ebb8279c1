import type { ActorKey, QueueOutcome } from "../../actor.ts";
import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import { decodeCbor } from "../cbor/decode.ts";
import { encodeCbor } from "../cbor/encode.ts";

/**
 * Routes by which Roost nodes reach the actors of each other, like a service's; other Actr peers answer `unknown_route`.
 * Payloads are CBOR: of `Act` `[target, action, args]`, of `Resolve` `[target]`, of `Create` `[name, key, input]`, of `Send`
 * `[target, queue, body, wait, timeoutMs]`; one that a node passes on to where the actor lives has the name of the request
 * behind that, and is not passed on again. A target is `[id]`, `[name, key]`, or `[name, key, input]` where the actor is
 * made when there is none. `Act` is answered with what the action returns, `Send` with `[status, response]`, the others
 * with an id.
 */
export const actorRoutes = {
  act: "roost.Actors.Act",
  resolve: "roost.Actors.Resolve",
  create: "roost.Actors.Create",
  send: "roost.Actors.Send",
} as const;

/** One action that is asked for. */
export interface ActRequest {
  readonly target: CallTarget;
  readonly action: string;
  readonly args: readonly unknown[];
  /** Names the request where another node passes it on. */
  readonly request?: string | undefined;
}

/** One actor that is to be made. */
export interface CreateRequest {
  readonly name: string;
  readonly key: ActorKey;
  readonly input: unknown;
  /** As of {@link ActRequest}. */
  readonly request?: string | undefined;
}

/** One message for a queue of an actor. */
export interface SendRequest {
  readonly target: CallTarget;
  readonly queue: string;
  readonly body: unknown;
  /** Whether its completion is waited for. */
  readonly wait: boolean;
  /** How long, milliseconds. */
  readonly timeoutMs: number | undefined;
  /** As of {@link ActRequest}. */
  readonly request?: string | undefined;
}

/** One actor that is looked for. */
export interface ResolveRequest {
  readonly target: CallTarget;
  /** As of {@link ActRequest}. */
  readonly request?: string | undefined;
}

/** @throws ActrError `actor.unsupported_value` for arguments that cannot be sent. */
export function encodeAct({ target, action, args, request }: ActRequest): Uint8Array {
  return encodeCbor(named([targetOf(target), action, args], request));
}

/** @throws ActrError `decode_failure`. */
export function decodeAct(payload: Uint8Array): ActRequest {
  const [target, action, args, request] = list(decodeCbor(payload));
  if (typeof action !== "string" || !Array.isArray(args)) throw malformed();
  return { target: readTarget(target), action, args, request: readName(request) };
}

/** @throws ActrError `actor.unsupported_value` for an input that cannot be sent. */
export function encodeResolve({ target, request }: ResolveRequest): Uint8Array {
  return encodeCbor(named([targetOf(target)], request));
}

/** @throws ActrError `decode_failure`. */
export function decodeResolve(payload: Uint8Array): ResolveRequest {
  const [target, request] = list(decodeCbor(payload));
  return { target: readTarget(target), request: readName(request) };
}

/** @throws ActrError `actor.unsupported_value` for an input that cannot be sent. */
export function encodeCreate({ name, key, input, request }: CreateRequest): Uint8Array {
  return encodeCbor(named([name, key, input], request));
}

/** @throws ActrError `decode_failure`. */
export function decodeCreate(payload: Uint8Array): CreateRequest {
  const [name, key, input, request] = list(decodeCbor(payload));
  if (typeof name !== "string" || !isKey(key)) throw malformed();
  return { name, key, input, request: readName(request) };
}

/** @throws ActrError `actor.unsupported_value` for a body that cannot be sent. */
export function encodeSend({
  target,
  queue,
  body,
  wait,
  timeoutMs,
  request,
}: SendRequest): Uint8Array {
  return encodeCbor(named([targetOf(target), queue, body, wait, timeoutMs], request));
}

/** @throws ActrError `decode_failure`. */
export function decodeSend(payload: Uint8Array): SendRequest {
  const [target, queue, body, wait, timeoutMs, request] = list(decodeCbor(payload));
  const hasTime = timeoutMs === undefined || typeof timeoutMs === "number";
  if (typeof queue !== "string" || typeof wait !== "boolean" || !hasTime) throw malformed();
  const parts = { queue, body, wait, timeoutMs, request: readName(request) };
  return { target: readTarget(target), ...parts };
}

/** What became of a message. */
export function encodeOutcome(outcome: QueueOutcome): Uint8Array {
  return encodeCbor([
    outcome.status,
    outcome.status === "completed" ? outcome.response : undefined,
  ]);
}

/** @throws ActrError `decode_failure`. */
export function decodeOutcome(answer: Uint8Array): QueueOutcome {
  const [status, response] = list(decodeCbor(answer));
  if (status === "timedOut") return { status };
  if (status !== "completed") throw malformed();
  return { status, response };
}

/** The id of an answer. @throws ActrError `decode_failure`. */
export function decodeId(answer: Uint8Array): string {
  const id = decodeCbor(answer);
  if (typeof id !== "string") throw malformed();
  return id;
}

function named(parts: readonly unknown[], request: string | undefined): readonly unknown[] {
  return request === undefined ? parts : [...parts, request];
}

function readName(value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw malformed();
}

function targetOf(target: CallTarget): readonly unknown[] {
  if ("id" in target) return [target.id];
  const { name, key, create } = target;
  return create === undefined ? [name, key] : [name, key, create.input];
}

function readTarget(value: unknown): CallTarget {
  const parts = list(value);
  const [first, key, input] = parts;
  if (typeof first !== "string") throw malformed();
  if (parts.length === 1) return { id: first };
  if (!isKey(key)) throw malformed();
  return parts.length === 2 ? { name: first, key } : { name: first, key, create: { input } };
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw malformed();
}

function isKey(value: unknown): value is ActorKey {
  return Array.isArray(value) && value.every((part) => typeof part === "string");
}

function malformed(): ActrError {
  return new ActrError("decode_failure", "a message about actors has not the parts that it must");
}
