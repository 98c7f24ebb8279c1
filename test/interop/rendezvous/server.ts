import { silentLogger } from "../../../adapters/console/console_logger.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { systemRandom } from "../../../adapters/system_random.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Random } from "../../../src/ports/random.ts";
import type { HttpServer, Sockets } from "../../../src/ports/sockets.ts";
import type { RendezvousOptions } from "../../../src/rendezvous/options.ts";
import { Rendezvous } from "../../../src/rendezvous/rendezvous.ts";

/** The system's clock, whose wall time a test moves ahead or stops; waits take as long as they take. */
export class SteeredClock implements Clock {
  /** Milliseconds by which wall time is ahead. */
  aheadMs = 0;
  /** Wall time while it stands still, Unix milliseconds. */
  stoppedAt: number | undefined;
  readonly #system = systemClock();
  readonly monotonic = this.#system.monotonic;
  readonly sleep = this.#system.sleep;
  readonly defer = this.#system.defer;

  now(): number {
    return this.stoppedAt ?? this.#system.now() + this.aheadMs;
  }

  timer(atMs: number, fn: () => void): ReturnType<Clock["timer"]> {
    return this.#system.timer(this.#system.now() + atMs - this.now(), fn);
  }
}

/** What a rendezvous under test stands on; the system's own where nothing is said. */
export interface ServerSettings {
  readonly options?: RendezvousOptions;
  readonly random?: Random;
  readonly store?: MemoryStore;
  readonly port?: number;
}

/** The rendezvous that is tested, over the sockets of the runtime that runs the test. */
export class Server implements AsyncDisposable {
  readonly clock: SteeredClock;
  readonly store: MemoryStore;
  readonly #settings: ServerSettings;
  #rendezvous: Rendezvous | undefined;
  #http: HttpServer | undefined;

  private constructor(settings: ServerSettings) {
    this.#settings = settings;
    this.clock = new SteeredClock();
    this.store = settings.store ?? new MemoryStore();
  }

  static async start(settings: ServerSettings = {}): Promise<Server> {
    const server = new Server(settings);
    await server.#open(settings.options, settings.port ?? 0);
    return server;
  }

  get port(): number {
    return this.#http?.port ?? 0;
  }

  /** Base address of the identity service. */
  get ais(): string {
    return `http://127.0.0.1:${this.port}/ais`;
  }

  get signaling(): string {
    return `ws://127.0.0.1:${this.port}/signaling/ws`;
  }

  /** Goes away; what it keeps stays in its store. */
  async stop(): Promise<void> {
    await this.#rendezvous?.[Symbol.asyncDispose]();
    await this.#http?.close();
  }

  /** Comes back at the same port, with other options where they are given. */
  async restart(options = this.#settings.options): Promise<void> {
    const { port } = this;
    await this.stop();
    await this.#open(options, port);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #open(options: RendezvousOptions = {}, port: number): Promise<void> {
    const { clock, store } = this;
    const random = this.#settings.random ?? systemRandom();
    const rendezvous = await Rendezvous.open(
      { store, clock, random, log: silentLogger() },
      options,
    );
    const { serve } = await sockets();
    if (serve === undefined) throw new TypeError("these sockets cannot serve");
    this.#rendezvous = rendezvous;
    this.#http = await serve({
      port,
      hostname: "127.0.0.1",
      fetch: (request, context) => rendezvous.fetch(request, context),
    });
  }
}

/** The sockets that the entry point of this runtime serves with. */
async function sockets(): Promise<Sockets> {
  return "Bun" in globalThis
    ? (await import("../../../adapters/bun/sockets.ts")).bunSockets()
    : (await import("../../../adapters/node/sockets.ts")).nodeSockets();
}
