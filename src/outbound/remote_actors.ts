import type { ActorKey, QueueOutcome } from "../actor.ts";
import type { ActorCaller, CallTarget, HandleOptions, SendOptions } from "../actor_client.ts";
import type { ActorCallOptions } from "../context.ts";
import {
  actorRoutes,
  decodeId,
  decodeOutcome,
  encodeAct,
  encodeCreate,
  encodeResolve,
  encodeSend,
} from "../protocol/actors/actor_calls.ts";
import { decodeCbor } from "../protocol/cbor/decode.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import type { Sender } from "./service_client.ts";
import type { FindingContext, TargetFinder } from "./target_finder.ts";

/** How long a completion is waited for where nothing is said: as long as an action, milliseconds. */
const defaultWaitMs = 60_000;
/** How long the answer may take beyond that. */
const answerMs = 5000;

/**
 * Calls the actors of another node, as its services are called: one deadline over everything, transient failures are
 * tried again under the same request id, and take effect once.
 */
export class RemoteActors implements ActorCaller {
  readonly #sender: Pick<Sender, "call">;
  readonly #options: ActorCallOptions;
  readonly #request: string | undefined;

  /** @param request names the request that is passed on to where its actor lives. */
  constructor(sender: Pick<Sender, "call">, options: ActorCallOptions = {}, request?: string) {
    this.#sender = sender;
    this.#options = options;
    this.#request = request;
  }

  async act(
    target: CallTarget,
    action: string,
    args: readonly unknown[],
    options?: HandleOptions,
  ): Promise<unknown> {
    const payload = encodeAct({ target, action, args, request: this.#request });
    return decodeCbor(await this.#call(actorRoutes.act, payload, options));
  }

  async resolve(target: CallTarget, options?: HandleOptions): Promise<string> {
    const payload = encodeResolve({ target, request: this.#request });
    return decodeId(await this.#call(actorRoutes.resolve, payload, options));
  }

  async create(
    name: string,
    key: ActorKey,
    input: unknown,
    options?: HandleOptions,
  ): Promise<string> {
    const payload = encodeCreate({ name, key, input, request: this.#request });
    return decodeId(await this.#call(actorRoutes.create, payload, options));
  }

  async send(
    target: CallTarget,
    queue: string,
    body: unknown,
    { wait = false, timeoutMs, signal }: SendOptions = {},
  ): Promise<QueueOutcome> {
    const request = this.#request;
    const payload = encodeSend({ target, queue, body, wait, timeoutMs, request });
    const patience = wait ? { timeoutMs: (timeoutMs ?? defaultWaitMs) + answerMs } : {};
    const options = { ...(signal === undefined ? {} : { signal }), ...patience };
    return decodeOutcome(await this.#call(actorRoutes.send, payload, options));
  }

  #call(
    routeKey: string,
    payload: Uint8Array,
    { signal, ...own }: Pick<ActorCallOptions, "signal" | "timeoutMs"> = {},
  ): Promise<Uint8Array> {
    const outer = this.#options.signal;
    const options = { ...this.#options, ...own };
    if (signal === undefined) return this.#sender.call(routeKey, payload, options);
    const either = outer === undefined ? signal : AbortSignal.any([outer, signal]);
    return this.#sender.call(routeKey, payload, { ...options, signal: either });
  }
}

/** Where actors are looked for, and in whose name. */
export interface WayParts {
  readonly finder: TargetFinder;
  readonly context: FindingContext;
  /** The way to the node's own. */
  readonly local: () => ActorCaller;
}

/** The way to the actors at `target`, an id, its text, or a type; without one, to the node's own. */
export function wayToActors(
  { finder, context, local }: WayParts,
  target: ActrId | string | undefined,
  options: ActorCallOptions | undefined,
): ActorCaller {
  if (target === undefined || textOf(target) === formatActrId(context.selfId)) return local();
  return new RemoteActors(finder.sender(context, target), options);
}

function textOf(target: ActrId | string): string {
  return typeof target === "string" ? target : formatActrId(target);
}
