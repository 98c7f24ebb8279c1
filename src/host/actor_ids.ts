import type { ActorKey } from "../actor.ts";
import type { CallTarget } from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import type { Store } from "../ports/store.ts";
import { checkActorKey, formatActorKey } from "../protocol/actors/actor_key.ts";
import { actorIdOf } from "./contents.ts";

/** Somebody asked for by name and key. */
export type KeyedTarget = Exclude<CallTarget, { readonly id: string }>;

/** One text for a name and a key. */
export function addressOf({ name, key }: Pick<KeyedTarget, "name" | "key">): string {
  return `${name}\n${formatActorKey(key)}`;
}

/** An actor that is being made. */
export interface MadeActor {
  /** Rejects when its start fails. */
  readonly instance: Promise<unknown>;
}

/** Ids of actors by name and key: of those that are awake, and of those being looked up or made, which are made once. */
export class ActorIds<Making extends MadeActor> {
  readonly #known = new Map<string, string | Promise<Making>>();

  /** Of one that is awake. */
  get(target: KeyedTarget): string | undefined {
    const known = this.#known.get(addressOf(target));
    return typeof known === "string" ? known : undefined;
  }

  /** It is awake. */
  set(actor: { readonly name: string; readonly key: ActorKey }, id: string): void {
    this.#known.set(addressOf(actor), id);
  }

  /** It is not awake any more. */
  delete(actor: { readonly name: string; readonly key: ActorKey }): void {
    this.#known.delete(addressOf(actor));
  }

  /** Of one that is awake, or is being made. */
  async known(target: KeyedTarget): Promise<string | Making | undefined> {
    checkActorKey(target.key);
    return await this.#known.get(addressOf(target));
  }

  /** The id of an actor; or what `make` makes, begun once for all who ask meanwhile. @throws ActrError `actor.not_found`. */
  async find(
    store: Store,
    target: KeyedTarget,
    make: (input: unknown) => Promise<Making>,
  ): Promise<string | Making> {
    const { name, key, create } = target;
    const known = await this.known(target);
    if (known !== undefined) return known;
    const found = await actorIdOf(store, name, key);
    if (found !== undefined) return found;
    if (create === undefined) {
      throw new ActrError("actor.not_found", `there is no actor ${name} ${formatActorKey(key)}`);
    }
    // Somebody else may have begun meanwhile.
    const begun = this.#known.get(addressOf(target));
    return await (begun ?? this.#begin(addressOf(target), () => make(create.input)));
  }

  #begin(address: string, make: () => Promise<Making>): Promise<Making> {
    const making = make();
    this.#known.set(address, making);
    making
      .then(({ instance }) => instance)
      .catch(() => {
        if (this.#known.get(address) === making) this.#known.delete(address);
      });
    return making;
  }
}
