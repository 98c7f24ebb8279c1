import { connect } from "../../adapters/client.ts";
import type { Peer } from "../../adapters/serve/options.ts";
import type { ActorsOf } from "../../src/actor_client.ts";
import { ActrError } from "../../src/errors.ts";
import type { Random } from "../../src/ports/random.ts";
import type { PlacedApp } from "./placement_node.ts";
import type { PlacementNodes } from "./placement_nodes.ts";

/** How actors are called. */
export interface PlacementLoadOptions {
  readonly actors: number;
  /** Calls at once. */
  readonly callers: number;
}

/** What came of a load; all but the first two and `failed` have to be 0. */
export interface PlacementFigures {
  readonly acknowledged: number;
  /** Times that an actor began to live on a node. */
  readonly lives: number;
  /** Calls by the code that they failed with: what these did is not known. */
  readonly failed: Readonly<Record<string, number>>;
  /** Changes that were acknowledged and are not there. */
  readonly lost: number;
  /** Changes that were acknowledged twice under one number, as two owners do. */
  readonly twice: number;
  /** Changes beyond those that were acknowledged or failed. */
  readonly surplus: number;
  /** Lives that went on after another had begun. */
  readonly overlaps: number;
}

const callTimeoutMs = 10_000;

/** Calls the actors of nodes, and remembers what it was told. */
export class PlacementLoad {
  readonly #nodes: PlacementNodes;
  readonly #random: Random;
  readonly #options: PlacementLoadOptions;
  /** Numbers that were acknowledged, by actor. */
  readonly #acknowledged = new Map<string, Set<number>>();
  readonly #unknown = new Map<string, number>();
  readonly #failed: Record<string, number> = {};
  #twice = 0;
  #calls = 0;

  constructor(nodes: PlacementNodes, random: Random, options: PlacementLoadOptions) {
    this.#nodes = nodes;
    this.#random = random;
    this.#options = options;
  }

  /** Calls until `signal`, whatever comes. */
  async run(signal: AbortSignal): Promise<void> {
    await using peer = await connect<PlacedApp>(this.#nodes.identity);
    const callers = Array.from({ length: this.#options.callers }, async () => {
      while (!signal.aborted) await this.#change(peer);
    });
    await Promise.all(callers);
  }

  /** Reads every actor, which has to answer by now, and compares. */
  async check(): Promise<PlacementFigures> {
    await using peer = await connect<PlacedApp>(this.#nodes.identity);
    let [lost, surplus, overlaps, lives, acknowledged] = [0, 0, 0, 0, 0];
    for (const [key, numbers] of this.#acknowledged) {
      const state = await this.#actors(peer).journal.get(key).read();
      const unknown = this.#unknown.get(key) ?? 0;
      acknowledged += numbers.size;
      lost += [...numbers].filter((number) => number > state.count).length;
      surplus += Math.max(0, state.count - numbers.size - unknown);
      lives += state.lives.length;
      overlaps += state.lives.length - new Set(state.lives.map(({ id }) => id)).size;
    }
    const failed = { ...this.#failed };
    return { acknowledged, lives, failed, lost, twice: this.#twice, surplus, overlaps };
  }

  #actors({ context }: Peer<PlacedApp>): ActorsOf<PlacedApp> {
    const { ids } = this.#nodes;
    const id = ids[Math.floor(this.#random.next() * ids.length)];
    return context.actors<PlacedApp>(id, { timeoutMs: callTimeoutMs });
  }

  async #change(peer: Peer<PlacedApp>): Promise<void> {
    this.#calls += 1;
    const key = `actor-${this.#calls % this.#options.actors}`;
    try {
      this.#acknowledge(key, await this.#actors(peer).journal.get(key).change());
    } catch (error) {
      const { code } = ActrError.from(error);
      this.#failed[code] = (this.#failed[code] ?? 0) + 1;
      this.#unknown.set(key, (this.#unknown.get(key) ?? 0) + 1);
    }
  }

  #acknowledge(key: string, number: number): void {
    const numbers = this.#acknowledged.get(key) ?? new Set();
    if (numbers.has(number)) this.#twice += 1;
    this.#acknowledged.set(key, numbers.add(number));
  }
}
