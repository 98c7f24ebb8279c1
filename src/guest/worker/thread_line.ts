import type { Clock, Timer } from "../../ports/clock.ts";
import type {
  GuestCode,
  GuestEntry,
  GuestLimits,
  HostAnswer,
  HostCalls,
  Invocation,
} from "../../ports/guest_host.ts";
import { withResolvers } from "../../with_resolvers.ts";
import { guestFault } from "../fault.ts";
import { toGuestError } from "../guest_error.ts";
import { type FromGuest, type Named, type ToGuest, toError } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { isPacked, packCaller } from "./packed.ts";
import { sendable, sendableAnswer, sendableEntry } from "./sendable.ts";
import type { GuestThread, StartThread } from "./thread.ts";
import { WorkerInstance } from "./worker_instance.ts";

/** How long a thread may take to say that it has discarded an instance, milliseconds: one that computes does not answer. */
const discardMs = 250;

/** Who waits for the thread to load the code, or to make an instance. */
interface Waiting {
  readonly resolve: (memoryBytes: number) => void;
  readonly reject: (error: unknown) => void;
}

/** In whose name loading is waited for; instances count from 1. */
const loading = 0;

/** One thread of a guest, from outside: what is said to it, and who waits for what it says. */
export class ThreadLine {
  readonly #clock: Clock;
  readonly #thread: GuestThread;
  readonly #outbox: Outbox<ToGuest>;
  readonly #instances = new Map<number, WorkerInstance>();
  readonly #waiting = new Map<number, Waiting>();
  /** Instances that the thread has not said to be gone. */
  readonly #discards = new Map<number, Timer>();
  #quiet: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #lastInstance = loading;
  #lastEntry = 0;
  /** For how many answers the process is kept alive. */
  #awaited = 0;
  #ended = false;

  constructor({ clock, startThread }: { clock: Clock; startThread: StartThread }) {
    this.#clock = clock;
    this.#thread = startThread({
      message: (messages) => {
        for (const message of messages as readonly FromGuest[]) this.#hear(message);
      },
      ended: (cause) => this.end(cause),
    });
    this.#outbox = new Outbox((messages, moved) => this.#post(messages, moved));
  }

  /** Whether the thread is of no use any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Has the thread load code. @throws ActrError as the host in it does. */
  async load(code: GuestCode, limits: GuestLimits): Promise<void> {
    this.#outbox.say({ kind: "load", code, limits });
    await this.#wait(loading);
  }

  /** Has the thread make an instance. @throws ActrError as the host in it does. */
  async instantiate(calls: HostCalls): Promise<WorkerInstance> {
    this.#lastInstance += 1;
    const id = this.#lastInstance;
    this.#outbox.say({ kind: "instantiate", instance: id });
    const made = new WorkerInstance(this, id, calls, await this.#wait(id));
    this.#instances.set(id, made);
    return made;
  }

  /** Sends an entry; its number. */
  enter(guest: WorkerInstance, entry: GuestEntry, invocation: Invocation): number {
    this.#await();
    this.#lastEntry += 1;
    const id = this.#lastEntry;
    const instance = guest.id;
    const packable = entry.name === "dispatch" && entry.envelope.requestId === invocation.requestId;
    if (!packable) {
      const sent = sendableEntry(entry, this.#outbox.moved);
      this.#outbox.say({ kind: "enter", instance, id, entry: sent, invocation });
      return id;
    }
    const { token, selfId, callerId, requestId } = invocation;
    if (guest.learns(selfId)) this.#outbox.say({ kind: "self", instance, selfId });
    const payload = sendable(entry.envelope.payload, this.#outbox.moved);
    const { routeKey } = entry.envelope;
    const caller = packCaller(callerId);
    this.#outbox.say([instance, id, token, requestId, routeKey, payload, ...caller]);
    return id;
  }

  /** An answer is no longer waited for. */
  leave(): void {
    this.#awaited -= 1;
    if (this.#awaited === 0) this.#thread.keepAlive(false);
  }

  /** Has the thread give an instance up; a thread that does not say so soon computes, and is ended. */
  discard({ id: instance }: WorkerInstance): void {
    this.#instances.delete(instance);
    if (this.#ended) return;
    const timer = this.#clock.timer(this.#clock.now() + discardMs, () =>
      this.end(`it did not answer within ${discardMs} ms`),
    );
    this.#discards.set(instance, timer);
    this.#await();
    this.#quiet ??= withResolvers();
    this.#outbox.say({ kind: "discard", instance });
  }

  /** Resolves when all that was discarded is gone, or the thread is. */
  async quiet(): Promise<void> {
    await this.#quiet?.promise;
  }

  /** Ends the thread, and with it all that runs in it. Idempotent. */
  end(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#thread.end();
    for (const id of [...this.#discards.keys()]) this.#discarded(id);
    const error = guestFault("init_failed", "the guest's thread has ended", cause);
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(error);
    for (const instance of this.#instances.values()) instance.lose(cause);
    this.#instances.clear();
  }

  #hear(message: FromGuest): void {
    if (isPacked(message)) {
      const [instance, id, ok, memoryBytes] = message;
      return this.#instances.get(instance)?.settle(id, { ok }, memoryBytes);
    }
    switch (message.kind) {
      case "ended":
        return this.#instances
          .get(message.instance)
          ?.settle(message.id, message.outcome, message.memoryBytes);
      case "call":
        return this.#call(message);
      case "failed":
        return this.#instances.get(message.instance)?.fail(message.id, toError(message.failure));
      case "loaded":
        return this.#settle(loading)?.resolve(0);
      case "not_loaded":
        return this.#settle(loading)?.reject(toError(message.failure));
      case "instantiated":
        return this.#settle(message.instance)?.resolve(message.memoryBytes);
      case "not_instantiated":
        return this.#settle(message.instance)?.reject(toError(message.failure));
      case "discarded":
        return this.#discarded(message.instance);
    }
  }

  #call({ instance, id, call }: Named<FromGuest, "call">): void {
    const answer = this.#instances.get(instance)?.calls(call);
    if (answer === undefined || id === 0) return;
    if (!(answer instanceof Promise)) return this.#answer(instance, id, answer);
    answer.then(
      (later) => this.#answer(instance, id, later),
      (error: unknown) => this.#answer(instance, id, { error: toGuestError(error) }),
    );
  }

  #answer(instance: number, id: number, answer: HostAnswer): void {
    if (!this.#instances.has(instance)) return;
    const sent = sendableAnswer(answer, this.#outbox.moved);
    this.#outbox.say({ kind: "answer", instance, id, answer: sent });
  }

  #discarded(instance: number): void {
    this.#discards.get(instance)?.cancel();
    if (this.#discards.delete(instance)) this.leave();
    if (this.#discards.size > 0) return;
    this.#quiet?.resolve();
    this.#quiet = undefined;
  }

  #wait(id: number): Promise<number> {
    this.#await();
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (this.#waiting.delete(id)) this.leave();
    return waiting;
  }

  #await(): void {
    this.#awaited += 1;
    if (this.#awaited === 1) this.#thread.keepAlive(true);
  }

  #post(messages: readonly ToGuest[], moved: ArrayBuffer[]): void {
    if (this.#ended) return;
    try {
      this.#thread.post(messages, moved);
    } catch (error) {
      this.end(error);
    }
  }
}
