import { freePort } from "../fixtures/ports.ts";
import { fixture, Program, thisRuntime } from "../fixtures/runtimes.ts";
import { Sqld } from "../fixtures/sqld.ts";
import { Balancer } from "./balancer.ts";

/** How {@link RendezvousServers} are made. */
export interface RendezvousServersOptions {
  readonly servers: number;
  /** Whether they dial each other; otherwise the store carries what they say. */
  readonly direct: boolean;
  readonly leaseMs: number;
}

/** Rendezvous in processes of their own, on one real libSQL server, behind a balancer; they are killed. */
export class RendezvousServers implements AsyncDisposable {
  readonly balancer: Balancer;
  readonly ports: readonly number[];
  readonly #sqld: Sqld;
  readonly #options: RendezvousServersOptions;
  readonly #programs: Program[] = [];

  private constructor(
    sqld: Sqld,
    ports: readonly number[],
    balancer: Balancer,
    options: RendezvousServersOptions,
  ) {
    this.#sqld = sqld;
    this.ports = ports;
    this.balancer = balancer;
    this.#options = options;
  }

  static async start(options: RendezvousServersOptions): Promise<RendezvousServers> {
    const sqld = await Sqld.start();
    const ports: number[] = [];
    while (ports.length < options.servers) ports.push(await freePort());
    const servers = new RendezvousServers(sqld, ports, await Balancer.start(ports), options);
    await Promise.all(ports.map((_, at) => servers.run(at)));
    return servers;
  }

  /** Base address that the balancer serves. */
  get url(): string {
    return this.balancer.url;
  }

  /** Starts the server at a place. */
  async run(at: number): Promise<void> {
    const { leaseMs, direct } = this.#options;
    const port = this.ports[at];
    const peer = direct ? { peerUrl: `ws://127.0.0.1:${port}` } : {};
    const limits = { maxConnectionsPerAddress: 20_000, addressRequestsPerSecond: 10_000 };
    const options = { cluster: { leaseMs, ...peer }, limits };
    const args = [String(port), this.#sqld.url("http"), JSON.stringify(options)];
    const program = new Program(thisRuntime, fixture("rendezvous_program.ts"), args);
    this.#programs[at] = program;
    await program.line(60_000);
  }

  /** Ends the process as a power cut does. */
  async kill(at: number): Promise<void> {
    await this.#programs[at]?.kill("SIGKILL");
  }

  /** What the server at a place says of itself. */
  async health(at: number): Promise<{ readonly connections: number; readonly nodes: number }> {
    const response = await fetch(`http://127.0.0.1:${this.ports[at]}/health`);
    return await response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()));
    await this.balancer[Symbol.asyncDispose]();
    await this.#sqld[Symbol.asyncDispose]();
  }
}
