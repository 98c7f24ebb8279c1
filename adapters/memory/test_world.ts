import type { Logger } from "../../src/ports/logger.ts";
import type { Sockets } from "../../src/ports/sockets.ts";
import type { RendezvousOptions } from "../../src/rendezvous/options.ts";
import { Rendezvous } from "../../src/rendezvous/rendezvous.ts";
import { MemoryHub } from "../../transports/memory/memory_hub.ts";
import { silentLogger } from "../console/console_logger.ts";
import { MemoryNetwork, type MemorySockets } from "./memory_sockets.ts";
import { MemoryStore } from "./memory_store.ts";
import { SeededRandom } from "./seeded_random.ts";
import { watchCryptography } from "./watched_cryptography.ts";
import { WorldClock } from "./world_clock.ts";

/** What a world of test nodes is made of. */
export interface TestWorldOptions {
  /** Equal seeds give equal ids, secrets and jitter. @default 1 */
  readonly seed?: number;
  /** Where everything in the world logs. @default nowhere */
  readonly log?: Logger;
  readonly rendezvous?: RendezvousOptions;
}

/** Host of the rendezvous on the world's network. */
const rendezvousHost = "rendezvous";

/** Everything that test nodes share: a fake time, a network and a hub in memory, and a real rendezvous. Nothing leaves the process. */
export class TestWorld implements AsyncDisposable {
  readonly clock: WorldClock = new WorldClock();
  /** HTTP and WebSockets of everybody, the rendezvous included; its faults are the test's. */
  readonly network: MemoryNetwork = new MemoryNetwork(this.clock);
  /** Links between nodes on the memory transport; its faults are the test's. */
  readonly hub: MemoryHub = new MemoryHub(this.clock);
  readonly log: Logger;
  /** Base address of the identity service. */
  readonly aisUrl: string = `http://${rendezvousHost}/ais`;
  /** Address of the signaling socket. */
  readonly signalingUrl: string = `ws://${rendezvousHost}/signaling/ws`;
  readonly #options: TestWorldOptions;
  readonly #closing: (() => Promise<void>)[] = [];
  /** Time stands still while keys and signatures are made and checked. */
  readonly #unwatch: () => void = watchCryptography((work) => this.clock.during(work));
  #store: MemoryStore = new MemoryStore();
  #stopRendezvous: (() => Promise<void>) | undefined;
  #seed: number;
  #hosts = 0;

  private constructor(options: TestWorldOptions) {
    this.#options = options;
    this.#seed = options.seed ?? 1;
    this.log = options.log ?? silentLogger();
  }

  /** Opens a world with a rendezvous and nobody else. */
  static async open(options: TestWorldOptions = {}): Promise<TestWorld> {
    const world = new TestWorld(options);
    await world.startRendezvous();
    return world;
  }

  /** Randomness of its own for each part of the world. */
  random(): SeededRandom {
    return new SeededRandom(this.#seed++);
  }

  /** A host name that nobody has yet. */
  newHost(): string {
    this.#hosts += 1;
    return `node-${this.#hosts}`;
  }

  /** `fetch` on the world's network; time stands still until it is answered. */
  readonly fetch: typeof globalThis.fetch = (input, init) =>
    this.#timelessly(this.network.fetch(input as string | URL | Request, init));

  /** `sockets`, with time standing still while one opens. */
  timeless(sockets: MemorySockets): Sockets {
    const { name, capabilities } = sockets;
    const connect: Sockets["connect"] = (url, options) =>
      this.#timelessly(sockets.connect(url, options));
    return { name, capabilities, connect };
  }

  /** Holds time back until `work` is done, unless the network swallows everything: then only time ends it. */
  #timelessly<T>(work: Promise<T>): Promise<T> {
    return this.network.faults.blackhole ? work : this.clock.during(work);
  }

  /** Calls `close` when the world ends; the newest first. */
  onClose(close: () => Promise<void>): void {
    this.#closing.push(close);
  }

  /** Brings the rendezvous back after {@link stopRendezvous}. */
  async startRendezvous(): Promise<void> {
    const { clock, log, network } = this;
    const components = { store: this.#store, clock, random: this.random(), log };
    const rendezvous = await Rendezvous.open(components, this.#options.rendezvous);
    const fetch = rendezvous.fetch.bind(rendezvous);
    const server = network.listen({ hostname: rendezvousHost, port: 80, fetch });
    this.#stopRendezvous = async () => {
      await server.close();
      await rendezvous[Symbol.asyncDispose]();
    };
  }

  /** Takes the rendezvous down: signaling ends, nobody can register. With `forget` it comes back knowing nothing. */
  async stopRendezvous({ forget = false }: { readonly forget?: boolean } = {}): Promise<void> {
    await this.#stopRendezvous?.();
    this.#stopRendezvous = undefined;
    this.#store = forget ? new MemoryStore() : this.#store.reopen();
  }

  /** Stops every node, then the rendezvous. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let close = this.#closing.pop(); close !== undefined; close = this.#closing.pop()) {
      await close();
    }
    await this.stopRendezvous();
    this.#unwatch();
  }
}
