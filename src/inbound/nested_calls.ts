import { ActrError } from "../errors.ts";
import { callChain } from "../protocol/call_chain.ts";
import { crossed, selfWaiting } from "../protocol/deadlock.ts";
import { type AdmissionComponents, admit } from "./admission.ts";
import type { Nesting } from "./handler_calls.ts";
import type { Mailbox } from "./mailbox.ts";
import type { InboundMessage } from "./message.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Replier } from "./replier.ts";
import type { Route } from "./route.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Turn } from "./turn.ts";

/** Collaborators of {@link NestedCalls}. */
export interface NestedCallsComponents {
  readonly admission: AdmissionComponents;
  readonly nesting: Nesting;
  readonly mailbox: Mailbox;
  readonly pipeline: Pipeline;
  readonly replier: Replier;
  readonly scheduler: Scheduler<Turn>;
}

/** What a node lets in at the moment. */
export interface ReceiveBounds {
  readonly stops: boolean;
  readonly open: boolean;
}

/**
 * Calls that do not simply queue, looked at as they arrive: those that handlers wait for, since in the queue they might
 * wait for those very handlers, without end; and those that wait for nobody.
 */
export class NestedCalls {
  readonly #components: NestedCallsComponents;

  constructor(components: NestedCallsComponents) {
    this.#components = components;
  }

  /**
   * Whether it dealt with a request; otherwise the request goes the way of all others. While the node `stops`, it deals
   * only with those that its own handlers wait for.
   * @param open whether handlers may begin.
   */
  receive(message: InboundMessage, { stops, open }: ReceiveBounds): boolean {
    const { admission, nesting, pipeline } = this.#components;
    const chain = callChain(message.envelope.metadata);
    let route: Route;
    try {
      route = admit(message, admission);
    } catch {
      return false;
    }
    if (route.direct === true && open && !stops && message.row === undefined) {
      return this.#begin(message);
    }
    if (chain.length === 0) return false;
    const key = pipeline.keyOf(message, route);
    if (nesting.knows(chain)) return this.#receiveOwn(message, route, key, chain);
    return !stops && this.#receiveForeign(message, key, chain);
  }

  /** The handler that waits runs here: the call goes past the queue, which may wait for that handler. */
  #receiveOwn(
    message: InboundMessage,
    route: Route,
    key: string | undefined,
    chain: readonly string[],
  ): boolean {
    const { scheduler } = this.#components;
    const blocked = this.#blockers(key).some(({ context }) => context?.isIn(chain) === true);
    if (blocked && route.reentrant !== true) return this.#refuse(message, selfWaiting(route.key));
    // Part of what its caller does: when that is lost, it is done anew, with this call.
    const turn = this.#take({ ...message, row: undefined });
    if (turn === undefined) return true;
    if (blocked || key === undefined) void this.#components.pipeline.start(turn);
    else scheduler.enter(turn, key);
    return true;
  }

  /**
   * A handler of the caller waits for this call, and a handler here that this call would wait for waits for
   * the caller: perhaps for that very handler. Of two calls that cross so, one is refused, here or there.
   */
  #receiveForeign(
    message: InboundMessage,
    key: string | undefined,
    chain: readonly string[],
  ): boolean {
    const { from, envelope } = message;
    const waits = chain.at(-1) ?? "";
    const isCrossed = this.#blockers(key).some(({ context }) => context?.crosses(from.key, waits));
    if (isCrossed) return this.#refuse(message, crossed(envelope.routeKey, from.key));
    // What goes to the disk may come back as another object, or not at all.
    if (message.row === undefined) this.#queue(message);
    return message.row === undefined;
  }

  /** It waits for nobody. */
  #begin(message: InboundMessage): true {
    const turn = this.#take(message);
    if (turn !== undefined) void this.#components.pipeline.start(turn);
    return true;
  }

  #queue(message: InboundMessage): void {
    const { mailbox, nesting } = this.#components;
    nesting.queued(message);
    try {
      mailbox.enqueue(message);
    } catch (error) {
      nesting.left(message);
      this.#refuse(message, ActrError.from(error));
    }
  }

  #blockers(key: string | undefined): Turn[] {
    return [...this.#components.scheduler.blockers(key)];
  }

  #refuse(message: InboundMessage, error: ActrError): true {
    this.#components.replier.fail(message, error);
    return true;
  }

  /** Claims the message as it arrives. */
  #take(message: InboundMessage): Turn | undefined {
    const { mailbox, pipeline } = this.#components;
    try {
      mailbox.take(message);
    } catch (error) {
      this.#refuse(message, ActrError.from(error));
      return undefined;
    }
    return pipeline.prepare(message);
  }
}
