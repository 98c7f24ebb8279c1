import type { Clock, Timer } from "../../ports/clock.ts";
import type { Client } from "./client.ts";

/** Pause between two questions whether a client still lives, milliseconds. */
const probeIntervalMs = 15_000;

/** The clients of all actors of a node, by the ids of their connections: they stay while their actors sleep. */
export class Clients {
  readonly #clock: Clock;
  readonly #byId = new Map<string, Client>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Client | undefined {
    return this.#byId.get(id);
  }

  add(id: string, client: Client): void {
    this.#byId.set(id, client);
    if (this.#timer === undefined) this.#arm();
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }

  /** Ends every client. */
  close(reason: string): void {
    this.#timer?.cancel();
    const all = [...this.#byId.values()];
    this.#byId.clear();
    for (const { sink } of all) sink.close(reason);
  }

  /** Ends the clients of actors that do not live here any more. */
  closeOf(isGone: (actorId: string) => boolean, reason: string): void {
    for (const [id, { actorId, sink }] of [...this.#byId]) {
      if (!isGone(actorId)) continue;
      this.#byId.delete(id);
      sink.close(reason);
    }
  }

  #arm(): void {
    this.#timer = this.#clock.timer(this.#clock.now() + probeIntervalMs, () => {
      this.#timer = undefined;
      for (const { sink } of [...this.#byId.values()]) sink.probe();
      if (this.#byId.size > 0) this.#arm();
    });
  }
}
