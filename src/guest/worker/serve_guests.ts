import type { Clock } from "../../ports/clock.ts";
import type {
  EntryOutcome,
  GuestEntry,
  GuestHost,
  GuestImage,
  GuestInstance,
  Invocation,
} from "../../ports/guest_host.ts";
import type { ActrId } from "../../protocol/ids.ts";
import { defaultGuestOptions } from "../life/options.ts";
import { type CallLimits, CallLine } from "./call_line.ts";
import { type FromGuest, type Named, type ToGuest, toFailure } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { isPacked, type PackedDispatch, unpackDispatch } from "./packed.ts";
import { sendable } from "./sendable.ts";
import type { ThreadPort } from "./thread.ts";

/** What a thread of guests is made of. */
export interface ServeGuestsComponents {
  readonly port: ThreadPort;
  readonly clock: Clock;
  /** Runs the guests here. */
  readonly host: GuestHost;
}

/** Serves the guests of a thread: does what comes over its port, until the thread is ended. */
export function serveGuests({ port, clock, host }: ServeGuestsComponents): void {
  const guests = new ServedGuests(host, clock, new Outbox((all, moved) => port.post(all, moved)));
  port.listen((messages) => {
    for (const message of messages as readonly ToGuest[]) guests.hear(message);
  });
}

/** One instance and its calls. */
interface Served {
  readonly instance: GuestInstance;
  readonly calls: CallLine;
  selfId: ActrId | undefined;
}

class ServedGuests {
  readonly #host: GuestHost;
  readonly #clock: Clock;
  readonly #outbox: Outbox<FromGuest>;
  /** Nobody gives up in here: who waits ends the thread. */
  readonly #signal = new AbortController().signal;
  readonly #served = new Map<number, Served>();
  #image: GuestImage | undefined;
  #limits: CallLimits = defaultGuestOptions;

  constructor(host: GuestHost, clock: Clock, outbox: Outbox<FromGuest>) {
    this.#host = host;
    this.#clock = clock;
    this.#outbox = outbox;
  }

  hear(message: ToGuest): void {
    if (isPacked(message)) return this.#dispatch(message);
    switch (message.kind) {
      case "enter":
        return this.#enter(message);
      case "self":
        return this.#know(message);
      case "answer":
        return this.#served.get(message.instance)?.calls.answer(message.id, message.answer);
      case "load":
        return void this.#load(message);
      case "instantiate":
        return void this.#instantiate(message.instance);
      case "discard":
        return this.#discard(message.instance);
    }
  }

  async #load({ code, limits }: Named<ToGuest, "load">): Promise<void> {
    this.#limits = { ...defaultGuestOptions, ...limits };
    try {
      this.#image = await this.#host.load(code, limits, this.#signal);
      this.#outbox.say({ kind: "loaded" });
    } catch (error) {
      this.#outbox.say({ kind: "not_loaded", failure: toFailure(error) });
    }
  }

  async #instantiate(instance: number): Promise<void> {
    try {
      const served = await this.#make(instance);
      this.#served.set(instance, served);
      const { memoryBytes } = served.instance;
      this.#outbox.say({ kind: "instantiated", instance, memoryBytes });
    } catch (error) {
      this.#outbox.say({ kind: "not_instantiated", instance, failure: toFailure(error) });
    }
  }

  async #make(instance: number): Promise<Served> {
    if (this.#image === undefined) throw new TypeError("the guest has to be loaded first");
    const calls = new CallLine(instance, this.#limits, this.#clock, this.#outbox);
    const made = await this.#image.instantiate((call) => calls.ask(call), this.#signal);
    return { instance: made, calls, selfId: undefined };
  }

  #know({ instance, selfId }: Named<ToGuest, "self">): void {
    const served = this.#served.get(instance);
    if (served !== undefined) served.selfId = selfId;
  }

  #dispatch(message: PackedDispatch): void {
    const [instance, id] = message;
    const served = this.#served.get(instance);
    if (served?.selfId === undefined) return;
    const { entry, invocation } = unpackDispatch(message, served.selfId);
    this.#run(served.instance, instance, id, entry, invocation);
  }

  #enter({ instance, id, entry, invocation }: Named<ToGuest, "enter">): void {
    const guest = this.#served.get(instance)?.instance;
    if (guest !== undefined) this.#run(guest, instance, id, entry, invocation);
  }

  #run(
    guest: GuestInstance,
    instance: number,
    id: number,
    entry: GuestEntry,
    invocation: Invocation,
  ): void {
    void guest.enter(entry, invocation).then(
      (outcome) => this.#ended(guest, instance, id, outcome),
      (error: unknown) =>
        this.#outbox.say({ kind: "failed", instance, id, failure: toFailure(error) }),
    );
  }

  #ended(guest: GuestInstance, instance: number, id: number, outcome: EntryOutcome): void {
    const { memoryBytes } = guest;
    const ok = "ok" in outcome ? outcome.ok : undefined;
    if (ok === undefined) this.#outbox.say({ kind: "ended", instance, id, outcome, memoryBytes });
    else this.#outbox.say([instance, id, sendable(ok, this.#outbox.moved), memoryBytes]);
  }

  #discard(instance: number): void {
    this.#served.get(instance)?.instance.discard();
    this.#served.delete(instance);
    this.#outbox.say({ kind: "discarded", instance });
  }
}
