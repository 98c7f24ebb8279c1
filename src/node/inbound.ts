import type { NodeContext } from "../context.ts";
import type { ActrError } from "../errors.ts";
import type { AdmissionComponents } from "../inbound/admission.ts";
import { backpressureWatch } from "../inbound/backpressure.ts";
import { CleanUp } from "../inbound/clean_up.ts";
import { Completion } from "../inbound/completion.ts";
import { DeadLetters } from "../inbound/dead_letters.ts";
import { Dedup } from "../inbound/dedup.ts";
import { Gate } from "../inbound/gate.ts";
import { Nesting } from "../inbound/handler_calls.ts";
import type { NodeScope } from "../inbound/handler_context.ts";
import { Handling } from "../inbound/handling.ts";
import { HostGate } from "../inbound/host_gate.ts";
import { Mailbox } from "../inbound/mailbox.ts";
import { Redriver } from "../inbound/redriver.ts";
import { Refill } from "../inbound/refill.ts";
import { Replier } from "../inbound/replier.ts";
import { RowMaker } from "../inbound/row_maker.ts";
import { TargetFinder } from "../outbound/target_finder.ts";
import type { Store } from "../ports/store.ts";
import { encodeActrId } from "../protocol/ids.ts";
import type { PendingCalls } from "../session/pending_calls.ts";
import type { SessionManager } from "../session/session_manager.ts";
import { LiveTracks } from "../streams/live_tracks.ts";
import { MediaTracks } from "../streams/media_tracks.ts";
import { StreamRegistry } from "../streams/stream_registry.ts";
import { deadLetterEvent, handlerEvent, streamEvent } from "./error_events.ts";
import type { HookQueue } from "./hooks.ts";
import type { NodeComponents } from "./node_components.ts";
import type { NodePlan } from "./plan.ts";

/** What the inbound side is built from. */
export interface InboundParts {
  readonly plan: NodePlan;
  readonly components: NodeComponents;
  readonly context: NodeContext;
  readonly hooks: HookQueue;
  readonly pending: PendingCalls;
  readonly sessions: SessionManager;
  readonly localActors: NodeScope["localActors"];
}

/** The way of a request through the node, put together: gate → mailbox → handling → completion → replier. */
export class Inbound {
  readonly gate: Gate;
  readonly mailbox: Mailbox;
  readonly deadLetters: DeadLetters;
  readonly replier: Replier;
  readonly redriver: Redriver;
  readonly handling: Handling;
  readonly host: HostGate;
  readonly streams: StreamRegistry;
  readonly media: MediaTracks;
  readonly liveTracks: LiveTracks;
  readonly #store: Store;
  readonly #dedup: Dedup;
  readonly #refill: Refill;
  readonly #completion: Completion;
  readonly #cleanUp: CleanUp;
  readonly #forgetStore: () => void;

  constructor(parts: InboundParts) {
    const { plan, components, context, hooks, sessions, pending, localActors } = parts;
    const { clock, random, store, log } = components;
    const { options, routes, rules } = plan;
    this.#store = store;
    const admission: AdmissionComponents = { routes, rules, selfId: () => context.selfId };
    this.mailbox = new Mailbox(
      {
        clock,
        store,
        onDepth: backpressureWatch(
          options.mailbox.backpressureThreshold,
          (event) => hooks.emit("onMailboxBackpressure", event),
          () => log.info("mailbox.backpressure_cleared"),
        ),
        onAvailable: () => this.handling.wake(),
        onMissing: () => this.#refill.wake(),
      },
      options.mailbox,
    );
    this.deadLetters = new DeadLetters({
      clock,
      random,
      store,
      log,
      selfBytes: () => encodeActrId(context.selfId),
      onDeadLetter: (letter) => hooks.emit("onError", deadLetterEvent(letter)),
    });
    const actors = { finder: new TargetFinder(), localActors };
    const dedup = new Dedup(clock, options.inbound);
    this.#dedup = dedup;
    this.#cleanUp = new CleanUp({ clock, log, store, dedup }, options.inbound);
    const rows = new RowMaker({ clock, random }, store.opened);
    this.replier = new Replier(sessions, log);
    const { mailbox, deadLetters, replier } = this;
    this.#refill = new Refill({ clock, log, store, mailbox, deadLetters }, options.inbound);
    this.#completion = new Completion(
      { clock, log, store, mailbox, dedup, deadLetters, replier },
      options.inbound,
    );
    this.handling = new Handling(
      {
        ...{ clock, log, random, store, admission, mailbox, dedup, replier },
        node: context,
        ...actors,
        tracer: components.tracer,
        completion: this.#completion,
        onFailure: (failure) => hooks.emit("onError", handlerEvent(failure, clock.now())),
      },
      { ...options.dispatch, ...options.inbound, concurrent: plan.concurrent },
    );
    // What the host handles holds no place among this node's handlers.
    const nesting = new Nesting(random, { lend() {}, resume() {} });
    this.host = new HostGate(
      {
        ...{ clock, log, random, tracer: components.tracer },
        scope: { node: context, store, nesting, ...actors },
        onFailure: (failure) => hooks.emit("onError", handlerEvent(failure, clock.now())),
      },
      plan.hostRoutes,
      options.outbound,
    );
    const receiveApart = this.handling.receiveApart.bind(this.handling);
    this.streams = new StreamRegistry(
      {
        clock,
        log,
        rules,
        selfId: () => context.selfId,
        onFailure: (failure) => hooks.emit("onError", streamEvent(failure, clock.now())),
      },
      options.streams,
    );
    this.media = new MediaTracks({ log }, options.streams);
    this.liveTracks = new LiveTracks({ log }, options.streams);
    const { streams } = this;
    this.gate = new Gate(
      {
        ...{ clock, log, store, rows, pending, mailbox, deadLetters, replier, admission, streams },
        receiveApart,
      },
      { durableCalls: options.inbound.durableCalls, compat: options.session.compat },
    );
    this.redriver = new Redriver({ clock, store, rows, live: { admission, mailbox, dedup } });
    this.#forgetStore = store.onFault((fault) => {
      if (fault === undefined) log.info("store.fault_cleared");
      else log.error("store.fault", { fault });
    });
  }

  /** Messages whose handler has ended. */
  get handled(): number {
    return this.#completion.handled;
  }

  /** Messages refused before a handler saw them. */
  get refused(): number {
    return this.#completion.refused;
  }

  /** Answers that are remembered. */
  get remembered(): number {
    return this.#dedup.size;
  }

  /** Brings back the answers that the store kept, and the first of its messages; the rest follows as it is needed. */
  async recover(): Promise<void> {
    await this.#dedup.recover(this.#store);
    await this.#refill.start();
  }

  /** Lets requests through to their handlers. */
  open(): void {
    this.#cleanUp.start();
    this.handling.open();
  }

  /** Resolves when everything that is in memory is handled, on disk and answered; what is in the store alone stays there. */
  async drain(): Promise<void> {
    await this.#refill.close();
    await this.settled();
  }

  /** As {@link drain}, and goes on afterwards. */
  async settled(): Promise<void> {
    await this.handling.drained();
    await this.#completion.settled();
  }

  /** Hands out nothing more. Who waits for what is still queued is told so; durable messages stay in the store. */
  async close(reason: ActrError): Promise<void> {
    for (const message of [...this.handling.close(reason), ...this.mailbox.close()]) {
      if (message.row === undefined) this.replier.fail(message, reason);
    }
    this.deadLetters.close();
    this.#forgetStore();
    this.media.close();
    this.liveTracks.close();
    await this.streams.close();
    await this.#refill.close();
    await this.#cleanUp.close();
  }
}
