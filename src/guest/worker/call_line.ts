import type { Clock } from "../../ports/clock.ts";
import type { HostAnswer, HostCall } from "../../ports/guest_host.ts";
import { type LogLimits, LogLines, levelOf } from "../life/log_lines.ts";
import type { FromGuest } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { sendableCall } from "./sendable.ts";

/** How much an instance may ask of the node at once. */
export interface CallLimits extends LogLimits {
  readonly maxHostCalls: number;
}

/** The calls of one instance in a thread. They are limited on this side too: a guest that floods wakes only its own thread. */
export class CallLine {
  readonly #instance: number;
  readonly #most: number;
  readonly #lines: LogLines;
  readonly #outbox: Outbox<FromGuest>;
  readonly #waiting = new Map<number, (answer: HostAnswer) => void>();
  #last = 0;

  constructor(instance: number, limits: CallLimits, clock: Clock, outbox: Outbox<FromGuest>) {
    this.#instance = instance;
    this.#most = limits.maxHostCalls;
    this.#lines = new LogLines(clock, limits);
    this.#outbox = outbox;
  }

  /** Asks the node. */
  ask(call: HostCall): HostAnswer | Promise<HostAnswer> {
    if (call.name === "log-message") return this.#log(call);
    if (this.#waiting.size >= this.#most) {
      const message = `${this.#most} calls of this guest wait for an answer already`;
      return { error: { code: "unavailable", message } };
    }
    this.#last += 1;
    const id = this.#last;
    this.#say(id, call);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** The node's answer. */
  answer(id: number, answer: HostAnswer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #log(call: HostCall & { readonly name: "log-message" }): HostAnswer {
    const admitted = this.#lines.admit(call.message);
    if (admitted === undefined) return { ok: undefined };
    const { line, dropped } = admitted;
    if (dropped > 0) this.#say(0, { ...call, level: "warn", message: `${dropped} lines dropped` });
    this.#say(0, { ...call, level: levelOf(call.level), message: line });
    return { ok: undefined };
  }

  #say(id: number, call: HostCall): void {
    const sent = sendableCall(call, this.#outbox.moved);
    this.#outbox.say({ kind: "call", instance: this.#instance, id, call: sent });
  }
}
