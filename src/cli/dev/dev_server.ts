import type { World } from "../command.ts";
import { madeToken } from "./inspect_token.ts";
import { NodeProcess } from "./node_process.ts";
import type { Watcher } from "./watcher.ts";

/** What happened while a node served. */
type Event = "changed" | "ended" | "stop";

/** Keeps the newest version of an app that loads in service. */
export class DevServer {
  readonly #args: readonly string[];
  readonly #env = madeToken();
  readonly #watcher: Watcher;
  readonly #stop: Promise<void>;
  readonly #err: World["err"];
  #serving: NodeProcess | undefined;

  constructor(args: readonly string[], watcher: Watcher, stop: Promise<void>, err: World["err"]) {
    this.#args = args;
    this.#watcher = watcher;
    this.#stop = stop;
    this.#err = err;
  }

  /** Serves until asked to stop. Resolves with the exit code: that of the node when the very first cannot serve. */
  async run(): Promise<number> {
    for (let first = true; ; first = false) {
      const next = new NodeProcess(this.#args, this.#env);
      const loaded = await Promise.race([next.reached("loaded"), this.#stop.then(() => false)]);
      if (loaded) await this.#replace(next);
      const failed = loaded && this.#serving === undefined;
      if (first && failed) return next.ended();
      if (next.code !== undefined) this.#tell(loaded);
      const event = await this.#event();
      if (event === "stop") return this.#end(next);
      if (event === "changed") this.#err("roost: restarting, since the app has changed");
    }
  }

  /** The old node stops when the new one is sure to load: a port and a store have one owner. */
  async #replace(next: NodeProcess): Promise<void> {
    await this.#serving?.stop();
    next.serve();
    this.#serving = (await next.reached("ready")) ? next : undefined;
  }

  #tell(loaded: boolean): void {
    const still = !loaded && this.#serving !== undefined;
    const what = still ? "the version before keeps serving" : "nothing is being served";
    this.#err(`roost: ${what}; waiting for the next change`);
  }

  async #event(): Promise<Event> {
    const over = new AbortController();
    const events: Promise<Event>[] = [
      this.#watcher.changed(over.signal).then(() => "changed"),
      this.#stop.then(() => "stop"),
    ];
    const serving = this.#serving;
    if (serving !== undefined) events.push(serving.ended().then(() => "ended"));
    const event = await Promise.race(events);
    over.abort();
    if (event !== "ended") return event;
    this.#serving = undefined;
    this.#err(`roost: the node has ended with code ${serving?.code}; waiting for the next change`);
    return this.#event();
  }

  async #end(newest: NodeProcess): Promise<number> {
    if (newest !== this.#serving) await newest.stop();
    return (await this.#serving?.stop()) ?? 0;
  }
}
