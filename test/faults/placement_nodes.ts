import { fileURLToPath } from "node:url";
import { delay } from "#async";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { Sqld } from "../fixtures/sqld.ts";

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** How a {@link PlacementNodes} is made. */
export interface PlacementNodesOptions {
  readonly nodes: number;
  readonly leaseMs: number;
  /** What each node runs, a file beside this one. @default "placement_node.ts" */
  readonly program?: string;
  /** Keeps the databases of actors, a namespace for each. */
  readonly databases?: Sqld;
}

/** Nodes in processes of their own that share a real libSQL server for their actors; they are paused and killed. */
export class PlacementNodes implements AsyncDisposable {
  readonly identity: string;
  readonly #rendezvous: Program;
  readonly #server: Sqld;
  readonly #options: PlacementNodesOptions;
  readonly #programs: Program[] = [];
  /** ActrIds of those that run, as text; one that is paused or dead keeps its place. */
  readonly ids: string[] = [];

  private constructor(
    rendezvous: Program,
    identity: string,
    server: Sqld,
    options: PlacementNodesOptions,
  ) {
    this.#rendezvous = rendezvous;
    this.identity = identity;
    this.#server = server;
    this.#options = options;
  }

  static async start(options: PlacementNodesOptions): Promise<PlacementNodes> {
    const rendezvous = new Program(thisRuntime, path("../fixtures/rendezvous_program.ts"), []);
    const [server, { identity }] = await Promise.all([
      Sqld.start(),
      rendezvous.line<{ identity: string }>(60_000),
    ]);
    const nodes = new PlacementNodes(rendezvous, identity, server, options);
    await Promise.all(Array.from({ length: options.nodes }, (_, at) => nodes.run(at)));
    return nodes;
  }

  /** Starts the node at a place. */
  async run(at: number): Promise<void> {
    const { leaseMs, program: name = "placement_node.ts", databases } = this.#options;
    const args = [this.identity, this.#server.url("http"), String(leaseMs)];
    if (databases !== undefined) args.push(databases.url("http"), databases.adminUrl ?? "");
    const program = new Program(thisRuntime, path(name), args);
    this.#programs[at] = program;
    this.ids[at] = await program.line<string>(60_000);
  }

  /** What the node at a place says next. */
  async line<T>(at: number): Promise<T> {
    const program = this.#programs[at];
    if (program === undefined) throw new RangeError(`there is no node ${at}`);
    return await program.line<T>(60_000);
  }

  /** Stops the process for so long that its lease ends, and lets it go on. */
  async pause(at: number, ms: number): Promise<void> {
    this.stop(at);
    await delay(ms);
    this.goOn(at);
  }

  /** Stops the process, as a machine that stands still does. */
  stop(at: number): void {
    this.#programs[at]?.signal("SIGSTOP");
  }

  /** Lets a process that was stopped go on. */
  goOn(at: number): void {
    this.#programs[at]?.signal("SIGCONT");
  }

  /** Ends the process, and starts another in its place. */
  async kill(at: number): Promise<void> {
    await this.#programs[at]?.kill("SIGKILL");
    await this.run(at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#programs, this.#rendezvous].map((program) => program.kill()));
    await this.#server[Symbol.asyncDispose]();
  }
}
