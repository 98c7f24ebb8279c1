import type { ActorKey, QueueOutcome } from "../../actor.ts";
import type { ActorCaller, CallTarget, HandleOptions, SendOptions } from "../../actor_client.ts";
import type { ActorCallOptions, NodeContext } from "../../context.ts";
import { ActrError } from "../../errors.ts";
import type { InternalCallOptions } from "../../outbound/caller.ts";
import { RemoteActors } from "../../outbound/remote_actors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { parseActrId } from "../../protocol/ids.ts";
import type { ActorHost } from "../actor_host.ts";
import { LocalActors, type LocalCallOptions } from "../local_actors.ts";
import type { Placement } from "./placement.ts";
import { shardOf, shardOfTarget } from "./shards.ts";

/** What {@link PlacedActors} work with. */
export interface PlacedActorParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly host: ActorHost;
  readonly placement: Placement;
  readonly node: () => NodeContext;
}

/** A call that finds no node for its actor is given up after this, milliseconds. */
const budgetMs = 30_000;
const firstPauseMs = 50;
const longestPauseMs = 1000;
const nobody: AbortSignal = new AbortController().signal;

/**
 * Calls actors wherever among the nodes of one store they live, and again, under the same name, when they have moved.
 * What is no call, such as connections, goes to those that live here: of others it fails with `actor.moved`.
 */
export class PlacedActors extends LocalActors {
  readonly #parts: PlacedActorParts;
  readonly #options: LocalCallOptions;

  constructor(parts: PlacedActorParts, options: LocalCallOptions) {
    super(parts.host, options);
    this.#parts = parts;
    this.#options = options;
  }

  override act(
    target: CallTarget,
    action: string,
    args: readonly unknown[],
    { signal }: HandleOptions = {},
  ): Promise<unknown> {
    const shard = shardOfTarget(target);
    return this.#through(shard, signal, (actors, either) =>
      actors.act(target, action, args, either),
    );
  }

  override async resolve(target: CallTarget, { signal }: HandleOptions = {}): Promise<string> {
    const known = await this.#parts.host.find(target);
    if (known !== undefined) return known.id;
    const shard = shardOfTarget(target);
    return await this.#through(shard, signal, (actors, either) => actors.resolve(target, either));
  }

  override create(
    name: string,
    key: ActorKey,
    input: unknown,
    { signal }: HandleOptions = {},
  ): Promise<string> {
    return this.#through(shardOf(name, key), signal, (actors, either) =>
      actors.create(name, key, input, either),
    );
  }

  /** Unlike a call it may have come in though nobody says so: it is tried again only where it surely has not. */
  override async send(
    target: CallTarget,
    queue: string,
    body: unknown,
    options: SendOptions = {},
  ): Promise<QueueOutcome> {
    const { placement } = this.#parts;
    const shard = shardOfTarget(target);
    if (!placement.holds(shard) && placement.known.whereIs(shard) === undefined)
      await placement.look();
    const { actors } = this.#at(shard, this.#parts.random.uuid(), budgetMs);
    return await actors.send(target, queue, body, options);
  }

  /** Does `call` where the shard is; again when it is not there any more. */
  async #through<T>(
    shard: number,
    signal: AbortSignal | undefined,
    call: (actors: ActorCaller, options: HandleOptions) => Promise<T>,
  ): Promise<T> {
    const { clock, random, placement } = this.#parts;
    const request = this.#options.request ?? random.uuid();
    const giveUpAt = clock.monotonic() + budgetMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        const { actors, ends } = this.#at(shard, request, giveUpAt - clock.monotonic());
        return await call(actors, { ...either(signal, ends) });
      } catch (error) {
        const left = giveUpAt - clock.monotonic();
        if (signal?.aborted === true || !mayHaveMoved(error) || pauseMs >= left) throw error;
      }
      await clock.sleep(pauseMs, { signal: signal ?? nobody });
      // What cannot be read now is tried again with the call.
      await placement.look().catch(() => {});
    }
  }

  /** The way to the actors of a shard, and what ends when they move. @throws ActrError `actor.moved` when nobody has them. */
  #at(
    shard: number,
    request: string,
    timeoutMs: number,
  ): { readonly actors: LocalActors | RemoteActors; readonly ends: AbortSignal | undefined } {
    const { placement, node } = this.#parts;
    if (placement.holds(shard)) return { actors: this.#local(request), ends: undefined };
    const place = placement.known.whereIs(shard);
    const context = node();
    if (place === undefined) throw nowhere();
    const target = parseActrId(place.node);
    const { chain, trace } = this.#options;
    const options: InternalCallOptions = {
      ...{ once: true, requestId: request, timeoutMs },
      ...(chain === undefined || chain.length === 0 ? {} : { chain }),
      ...(trace === undefined ? {} : { trace }),
    };
    const sender = {
      call: (route: string, payload: Uint8Array, more?: ActorCallOptions) =>
        context.call(target, route, payload, { ...options, ...more }),
    };
    return { actors: new RemoteActors(sender, {}, request), ends: place.moved };
  }

  #local(request?: string): LocalActors {
    const named = request === undefined ? {} : { request };
    return new LocalActors(this.#parts.host, { ...this.#options, ...named });
  }
}

function either(
  one: AbortSignal | undefined,
  other: AbortSignal | undefined,
): { readonly signal?: AbortSignal } {
  if (one === undefined) return other === undefined ? {} : { signal: other };
  return { signal: other === undefined ? one : AbortSignal.any([one, other]) };
}

/** Whether the call may come to something at the actor's next owner: it does it once, whoever else has tried. */
function mayHaveMoved(error: unknown): boolean {
  return ActrError.is(error) && (error.retryable || error.code === "lease_lost");
}

function nowhere(): ActrError {
  const message = "no node has taken this actor over yet; try again";
  return new ActrError("actor.moved", message, { retryAfterMs: 1000 });
}
