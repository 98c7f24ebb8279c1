import type { NodeContext } from "../context.ts";
import type { ActrError } from "../errors.ts";
import type { Distribution } from "../histogram.ts";
import type { DispatchOptions, InboundOptions } from "../options.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import type { Tracer } from "../ports/tracer.ts";
import type { AdmissionComponents } from "./admission.ts";
import type { Completion } from "./completion.ts";
import type { Dedup } from "./dedup.ts";
import { Dispatcher, type HandlerFailure } from "./dispatcher.ts";
import { Nesting } from "./handler_calls.ts";
import type { NodeScope } from "./handler_context.ts";
import type { Mailbox } from "./mailbox.ts";
import type { InboundMessage } from "./message.ts";
import { NestedCalls } from "./nested_calls.ts";
import { Pipeline } from "./pipeline.ts";
import { Pump } from "./pump.ts";
import type { Replier } from "./replier.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Turn } from "./turn.ts";

/** Collaborators of {@link Handling}. */
export interface HandlingComponents extends Pick<NodeScope, "finder" | "localActors"> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: Random;
  readonly store: Store;
  readonly tracer: Tracer | undefined;
  readonly node: NodeContext;
  readonly admission: AdmissionComponents;
  readonly mailbox: Mailbox;
  readonly dedup: Dedup;
  readonly completion: Completion;
  readonly replier: Replier;
  readonly onFailure: (failure: HandlerFailure) => void;
}

/** How {@link Handling} works. */
export interface HandlingOptions
  extends DispatchOptions,
    Pick<InboundOptions, "maxPerTurn" | "dedupTtlMs"> {}

/** Handlers at work, by number. */
export interface HandlingStatus {
  readonly running: number;
  /** Out of the mailbox; they wait for others of their key, or to be alone. */
  readonly waiting: number;
  /** Run though their time is up. */
  readonly overdue: number;
  /** Explicit replies that are to come. */
  readonly pendingReplies: number;
  /** Only overdue handlers run, and nothing may begin beside them. */
  readonly stuck: boolean;
}

/** The way from the mailbox through the handlers, put together: pump → pipeline → scheduler → dispatcher → completion. */
export class Handling {
  readonly #dispatcher: Dispatcher;
  readonly #pump: Pump;
  readonly #nested: NestedCalls;
  readonly #pipeline: Pipeline;
  readonly #scheduler: Scheduler<Turn>;
  #open = false;
  #closed = false;

  constructor(components: HandlingComponents, options: HandlingOptions) {
    const { random, node, store, admission, finder, localActors } = components;
    const nesting = new Nesting(random, {
      lend: () => this.#scheduler.lend(),
      resume: () => this.#scheduler.resume(),
    });
    const scope = { node, store, nesting, finder, localActors };
    this.#dispatcher = new Dispatcher({ ...components, scope }, options);
    const work = { ...components, ...admission, dispatcher: this.#dispatcher };
    const pipeline = new Pipeline(work, options);
    this.#pipeline = pipeline;
    this.#pump = new Pump({ ...components, nesting, work: pipeline }, options);
    this.#scheduler = this.#pump.scheduler;
    const { scheduler } = this.#pump;
    this.#nested = new NestedCalls({ ...components, nesting, pipeline, scheduler });
  }

  status(): HandlingStatus {
    const { running, waiting, appetite } = this.#scheduler;
    const { overdue, pendingReplies } = this.#dispatcher;
    const stuck = overdue > 0 && overdue === running && appetite === "none";
    return { running, waiting, overdue, pendingReplies, stuck };
  }

  /** Handlers that outlived the turn of the event loop in which they began, by the seconds that they took. */
  get times(): Distribution {
    return this.#dispatcher.times;
  }

  /** Begins to hand out what the mailbox holds. */
  open(): void {
    this.#open = true;
    this.#pump.open();
  }

  /** Something may be there to claim. */
  wake(): void {
    this.#pump.wake();
  }

  /** Deals with a request that handlers wait for, or that waits for none; false when it goes the way of all others. While the node `stops`, only handlers here may still call it. */
  receiveApart(message: InboundMessage, stops: boolean): boolean {
    return !this.#closed && this.#nested.receive(message, { stops, open: this.#open });
  }

  /** Resolves when nothing is left to claim and no handler runs. */
  drained(): Promise<void> {
    return this.#pump.drained();
  }

  /** Ends it: who waits for a handler or a reply is told `reason`. Returns what was claimed and has not begun. */
  close(reason: ActrError): InboundMessage[] {
    this.#closed = true;
    const left = this.#pump.close(reason);
    this.#dispatcher.abandon(reason);
    this.#pipeline.close(reason);
    return left;
  }
}
