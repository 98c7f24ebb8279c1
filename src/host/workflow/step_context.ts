import type { ActorKey, Connection, KeyValues, QueueSendOptions, Sql } from "../../actor.ts";
import { type ActorsOf, actorsOf, type WithActors } from "../../actor_client.ts";
import type { ActorCallOptions, NodeContext } from "../../context.ts";
import { ActrError } from "../../errors.ts";
import type { Logger } from "../../ports/logger.ts";
import { decodeCbor } from "../../protocol/cbor/decode.ts";
import { encodeCbor } from "../../protocol/cbor/encode.ts";
import type { ActrId } from "../../protocol/ids.ts";
import type {
  InterleavedStepContext,
  StepBase,
  StepContext,
  StepSchedules,
} from "../../workflow.ts";
import type { Instance } from "../instance.ts";
import { TrackedState } from "../state/tracked_state.ts";
import type { CallChain } from "../turns/chain.ts";
import type { Draft } from "./draft.ts";

/** One try of a step, as its code is told of it. */
export interface Try {
  readonly attempt: number;
  readonly idempotencyKey: string;
}

/** The turn of one try. */
export interface StepTurn {
  readonly signal: AbortSignal;
  /** Who waits for what it calls. */
  readonly chain: CallChain;
}

/** What is common to all steps. */
class Base implements StepBase<never> {
  protected readonly instance: Instance;
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly #turn: StepTurn;

  constructor(instance: Instance, turn: StepTurn, each: Try) {
    this.instance = instance;
    this.attempt = each.attempt;
    this.idempotencyKey = each.idempotencyKey;
    this.#turn = turn;
  }

  get signal(): AbortSignal {
    return this.#turn.signal;
  }

  get actorId(): string {
    return this.instance.id;
  }

  get name(): string {
    return this.instance.kind.name;
  }

  get key(): ActorKey {
    return this.instance.key;
  }

  get vars(): never {
    return this.instance.vars as never;
  }

  get sql(): Sql {
    return this.instance.sql;
  }

  get conns(): ReadonlyMap<string, Connection<never>> {
    return this.instance.context.conns as ReadonlyMap<string, Connection<never>>;
  }

  get log(): Logger {
    return this.instance.log;
  }

  get node(): NodeContext {
    return this.instance.components.node();
  }

  client<App extends WithActors>(
    target?: ActrId | string,
    options?: ActorCallOptions,
  ): ActorsOf<App> {
    if (target !== undefined) return this.node.actors<App>(target, options);
    return actorsOf<App>(this.instance.callerOf({ chain: this.#turn.chain }));
  }

  sleep(): void {
    this.instance.context.sleep();
  }

  destroy(): void {
    this.instance.context.destroy();
  }
}

/** What a step is given that may change the actor. */
export class ExclusiveContext extends Base implements StepContext<never> {
  readonly #draft: Draft;

  constructor(instance: Instance, turn: StepTurn, each: Try, draft: Draft) {
    super(instance, turn, each);
    this.#draft = draft;
  }

  get state(): never {
    return this.#draft.state as never;
  }

  set state(value: unknown) {
    this.#draft.state = value;
  }

  get kv(): KeyValues {
    return this.#draft.kv;
  }

  get schedule(): StepSchedules {
    return this.#draft.schedule;
  }

  broadcast(name: string, payload: unknown): void {
    const copy: unknown = decodeCbor(encodeCbor(payload));
    this.#draft.later(() => this.instance.connections.events.broadcast(name, copy));
  }

  send(name: string, body: unknown, options?: QueueSendOptions): void {
    this.#draft.send(name, body, options);
  }
}

/** What a step is given that goes on beside the actor's actions. */
export class BesideContext extends Base implements InterleavedStepContext<never> {
  #state: TrackedState | undefined;

  get state(): never {
    const { rawState } = this.instance.saving;
    this.#state ??= new TrackedState(decodeCbor(encodeCbor(rawState)), refuse);
    return this.#state.value as never;
  }

  get kv(): Pick<KeyValues, "get" | "list"> {
    const { values } = this.instance;
    return {
      get: (key) => values.get(key),
      list: (options) => values.list(options),
    };
  }
}

function refuse(): never {
  const message = "a step beside the actor's actions changes nothing; do it in one of its own";
  throw new ActrError("actor.invalid_operation", message);
}
