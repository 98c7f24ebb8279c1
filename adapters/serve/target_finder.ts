import type { CallOptions, NodeContext, TellOptions } from "../../src/context.ts";
import { ActrError } from "../../src/errors.ts";
import { type ActrId, parseActrId } from "../../src/protocol/ids.ts";
import type { Target } from "./options.ts";

/** Turns targets into ids, and remembers who was found for a type until it cannot be reached. */
export class TargetFinder {
  readonly #context: NodeContext;
  readonly #found = new Map<string, ActrId>();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** @throws ActrError `invalid_argument`, `not_found`, `unavailable`; the signal's reason. */
  async find(target: Target, options: { readonly signal?: AbortSignal } = {}): Promise<ActrId> {
    if (typeof target !== "string") return target;
    if (target.includes("@")) return parseActrId(target);
    const known = this.#found.get(target);
    if (known !== undefined) return known;
    const { signal } = options;
    const [first] = await this.#context.discover(target, signal === undefined ? {} : { signal });
    if (first === undefined) throw new ActrError("not_found", `nobody serves ${target}`);
    this.#found.set(target, first);
    return first;
  }

  /** Calls whoever `target` is now. @throws as `NodeContext.call` and {@link find}. */
  call(
    target: Target,
    routeKey: string,
    payload: Uint8Array,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    return this.#reach(target, options, (id) => this.#context.call(id, routeKey, payload, options));
  }

  /** Tells whoever `target` is now. @throws as `NodeContext.tell` and {@link find}. */
  tell(
    target: Target,
    routeKey: string,
    payload: Uint8Array,
    options: TellOptions = {},
  ): Promise<void> {
    return this.#reach(target, options, (id) => this.#context.tell(id, routeKey, payload, options));
  }

  async #reach<T>(
    target: Target,
    options: CallOptions,
    send: (id: ActrId) => Promise<T>,
  ): Promise<T> {
    const id = await this.find(target, options);
    try {
      return await send(id);
    } catch (error) {
      // The node may have gone and another have come: the next call asks anew.
      if (typeof target === "string" && ActrError.from(error).retryable) this.#found.delete(target);
      throw error;
    }
  }
}
