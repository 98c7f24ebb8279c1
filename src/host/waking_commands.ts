import { ActrError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Instance } from "./instance.ts";
import type { ActionCommand } from "./turns/command.ts";

/** Commands that may wait for one actor to wake. */
const maxWaiting = 1024;

interface Waiting {
  readonly command: ActionCommand;
  /** Of the clock's monotonic time: the deadline counts from then. */
  readonly arrivedAt: number;
}

/** Commands for actors that are being woken, by what these were asked for by; each keeps its place. */
export class WakingCommands {
  readonly #clock: Clock;
  readonly #byName = new Map<string, Waiting[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether commands for this one wait already. */
  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Has a command wait; wakes its actor if it is the first. */
  add(name: string, command: ActionCommand, wake: () => Promise<Instance>): void {
    const arrivedAt = this.#clock.monotonic();
    const queue = this.#byName.get(name);
    if (queue === undefined) {
      this.#byName.set(name, [{ command, arrivedAt }]);
      void this.#handOver(name, wake);
    } else if (queue.length < maxWaiting) queue.push({ command, arrivedAt });
    else command.answer.fail(tooMany(queue.length));
  }

  async #handOver(name: string, wake: () => Promise<Instance>): Promise<void> {
    const outcome = await wake().catch((error: unknown) => ActrError.from(error));
    const queue = this.#byName.get(name) ?? [];
    this.#byName.delete(name);
    for (const { command, arrivedAt } of queue) {
      if (outcome instanceof ActrError) command.answer.fail(outcome);
      else outcome.act(command, arrivedAt);
    }
  }
}

function tooMany(waiting: number): ActrError {
  const message = `${waiting} commands wait for this actor to wake; send again later`;
  return new ActrError("actor.overloaded", message, { retryAfterMs: 100 });
}
