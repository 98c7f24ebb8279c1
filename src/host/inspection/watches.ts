import type { Instance } from "../instance.ts";
import { ActorWatch, type WatchComponents, type Watcher } from "./inspection_watch.ts";

/** Who looks at which actors of a node, over their sleeps. */
export class Watches {
  readonly #components: WatchComponents;
  readonly #byId = new Map<string, ActorWatch>();

  constructor(components: WatchComponents) {
    this.#components = components;
  }

  of(id: string): ActorWatch | undefined {
    return this.#byId.get(id);
  }

  /** @param awake the actor, when it is awake. @returns ends it. */
  add(id: string, watcher: Watcher, awake: () => Instance | undefined): () => void {
    const { log } = this.#components;
    const watch =
      this.#byId.get(id) ??
      new ActorWatch({ ...this.#components, log: log.with({ actor_id: id }) });
    this.#byId.set(id, watch);
    watch.add(watcher);
    awake()?.observe(watch);
    return () => {
      watch.remove(watcher);
      if (watch.isUsed || this.#byId.get(id) !== watch) return;
      this.#byId.delete(id);
      awake()?.observe(undefined);
    };
  }
}
