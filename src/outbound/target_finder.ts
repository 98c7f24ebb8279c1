import type { NodeContext } from "../context.ts";
import { ActrError } from "../errors.ts";
import { type ActrId, parseActrId } from "../protocol/ids.ts";
import { isNoRoute } from "../session/dialer.ts";
import { callForStream } from "./server_stream.ts";
import type { Sender } from "./service_client.ts";

/** What targets are found and reached in the name of. */
export type FindingContext = Pick<NodeContext, "call" | "tell" | "discover" | "streams" | "selfId">;

/** Turns types and texts into ids, and remembers who was found for a type until that cannot be reached. */
export class TargetFinder {
  readonly #found = new Map<string, ActrId>();

  /** @param target an id, its text, or a type. @throws ActrError `invalid_argument`, `not_found`, `unavailable`; the signal's reason. */
  async find(
    context: Pick<NodeContext, "discover">,
    target: ActrId | string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ActrId> {
    if (typeof target !== "string") return target;
    if (target.includes("@")) return parseActrId(target);
    const known = this.#found.get(target);
    if (known !== undefined) return known;
    const [first] = await context.discover(target, signal === undefined ? {} : { signal });
    if (first === undefined) throw new ActrError("not_found", `nobody serves ${target}`);
    this.#found.set(target, first);
    return first;
  }

  /** Sends to whoever `target` is at the time, in the name of `context`. */
  sender(context: FindingContext, target: ActrId | string): Sender {
    return {
      call: (route, payload, options) =>
        this.#reach(context, target, options, (id) => context.call(id, route, payload, options)),
      tell: (route, payload, options) =>
        this.#reach(context, target, options, (id) => context.tell(id, route, payload, options)),
      stream: (route, payload, options) => this.#stream(context, target, route, payload, options),
    };
  }

  async *#stream(
    context: FindingContext,
    target: ActrId | string,
    ...[routeKey, payload, options]: Parameters<Sender["stream"]>
  ): AsyncGenerator<Uint8Array, undefined, undefined> {
    const id = await this.find(context, target, options);
    try {
      yield* callForStream(context, id, routeKey, payload, options);
    } catch (error) {
      this.#lost(target, error);
      throw error;
    }
  }

  async #reach<T>(
    context: FindingContext,
    target: ActrId | string,
    bounds: { readonly signal?: AbortSignal } | undefined,
    send: (id: ActrId) => Promise<T>,
  ): Promise<T> {
    const remembered = typeof target === "string" && this.#found.has(target);
    const id = await this.find(context, target, bounds);
    try {
      return await send(id);
    } catch (error) {
      this.#lost(target, error);
      // Nothing was sent, so that another may have it at once.
      if (!remembered || !isNoRoute(ActrError.from(error))) throw error;
      return await send(await this.find(context, target, bounds));
    }
  }

  /** The node may have gone and another have come: whoever sends next asks anew. */
  #lost(target: ActrId | string, error: unknown): void {
    if (typeof target === "string" && ActrError.from(error).retryable) this.#found.delete(target);
  }
}
