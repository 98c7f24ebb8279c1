import type { AnyActor } from "../actor.ts";
import type { CallTarget } from "../actor_client.ts";
import { ActrError } from "../errors.ts";
import { resolveActorOptions } from "../host_options.ts";
import type { ActorKind } from "./host_components.ts";

/** The definitions that a node hosts, by name. */
export class Kinds {
  readonly #byName: ReadonlyMap<string, ActorKind>;

  /** @throws ActrError `config` for an option that is none. */
  constructor(definitions: Readonly<Record<string, AnyActor>>) {
    this.#byName = new Map(
      Object.entries(definitions).map(([name, definition]) => {
        const options = resolveActorOptions(name, definition.options);
        return [name, { name, definition, options }];
      }),
    );
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** @throws ActrError `actor.not_registered`. */
  get(name: string): ActorKind {
    const kind = this.#byName.get(name);
    if (kind !== undefined) return kind;
    const names = this.names.join(", ") || "none";
    const message = `no actor is named ${JSON.stringify(name)}; there are: ${names}`;
    throw new ActrError("actor.not_registered", message, { details: { actor_name: name } });
  }

  /** Bytes that a message for an actor may have: by its kind, or the widest where it goes by id. @throws ActrError `actor.not_registered`. */
  incomingLimit(target: CallTarget): number {
    const kinds = "id" in target ? [...this.#byName.values()] : [this.get(target.name)];
    return Math.max(0, ...kinds.map(({ options }) => options.maxIncomingBytes));
  }

  /**
   * Refuses what a peer sends to an actor if it is too long.
   * @throws ActrError `message.incoming_too_long`, `actor.not_registered`.
   */
  requireRoom(target: CallTarget, bytes: number): void {
    const limit = this.incomingLimit(target);
    if (bytes <= limit) return;
    const message = `a message for an actor has ${bytes} bytes; ${limit} are allowed`;
    throw new ActrError("message.incoming_too_long", message, { details: { bytes, limit } });
  }
}
