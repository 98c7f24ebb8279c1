import { delay } from "#async";
import type { Random } from "../../src/ports/random.ts";
import { formatActrId } from "../../src/protocol/ids.ts";
import { until } from "../fixtures/until.ts";
import { idOf, type Registered, register, renew } from "../integration/rendezvous_client.ts";
import { RendezvousNode } from "./rendezvous_node.ts";

/** What came of a load. */
export interface RendezvousFigures {
  /** Registrations that were acknowledged, while servers were killed. */
  readonly registrations: number;
  /** Of those, the ones that cannot be renewed at the end; has to be 0. */
  readonly lost: number;
  /** Registrations that nobody acknowledged: tried again as another. */
  readonly refused: number;
  readonly connections: number;
  /** Relays under load, and those that came: who is killed takes some with it. */
  readonly sent: number;
  readonly came: number;
}

const type = "acme:EchoService:1.0.0";
const patienceMs = 120_000;
const relayPauseMs = 20;
const registerPauseMs = 100;

/** Nodes that find and reach each other through a balancer all the time, and identities that are made meanwhile. */
export class RendezvousLoad {
  readonly #base: string;
  readonly #random: Random;
  readonly #nodes: RendezvousNode[] = [];
  readonly #registered: Registered[] = [];
  readonly #came = new Set<string>();
  #refused = 0;
  #sent = 0;
  #arrived = 0;

  constructor(base: string, random: Random) {
    this.#base = base;
    this.#random = random;
  }

  /** Registers nodes and keeps them busy until `signal`. */
  async run(nodes: number, signal: AbortSignal): Promise<void> {
    while (this.#nodes.length < nodes) {
      const onRelay = (token: string): void => this.#take(token);
      const registered = await this.#register(signal);
      this.#nodes.push(new RendezvousNode(this.#base, registered, onRelay));
    }
    signal.addEventListener("abort", () => {
      for (const node of this.#nodes) node.drop();
    });
    await Promise.all([
      ...this.#nodes.map((node) => node.run(signal)),
      this.#relay(signal),
      this.#registerMore(signal),
    ]);
  }

  /** Waits until every node is connected, finds all others, and has reached one of them. */
  async goesOn(): Promise<void> {
    await until(
      "every node is connected",
      () => this.#all(({ connected }) => connected),
      patienceMs,
    );
    await Promise.all(this.#nodes.map((node, at) => this.#reaches(node, at)));
  }

  /** Has half of the nodes connect anew, so that they are spread over the servers that there are. */
  spread(): void {
    for (const [at, node] of this.#nodes.entries()) if (at % 2 === 0) node.drop();
  }

  /** Renews every identity, and counts. */
  async check(): Promise<RendezvousFigures> {
    let lost = 0;
    for (const registered of this.#registered) {
      const { status } = await renew(this.#base, idOf(registered), registered.renewalToken);
      if (status !== 200) lost += 1;
    }
    const connections = this.#nodes.reduce((sum, node) => sum + node.connections, 0);
    const counted = { refused: this.#refused, sent: this.#sent, came: this.#arrived };
    return { registrations: this.#registered.length, lost, connections, ...counted };
  }

  #all(holds: (node: RendezvousNode) => boolean): boolean {
    return this.#nodes.length > 0 && this.#nodes.every(holds);
  }

  async #reaches(node: RendezvousNode, at: number): Promise<void> {
    const others = this.#nodes.filter((each) => each !== node).map(({ id }) => formatActrId(id));
    const findsAll = async (): Promise<boolean> => {
      const found = new Set(await node.found().catch(() => []));
      return others.every((id) => found.has(id));
    };
    await until("a node finds all others", findsAll, patienceMs);
    const next = this.#nodes[(at + 1) % this.#nodes.length];
    if (next === undefined) return;
    const token = `proof ${crypto.randomUUID()}`;
    const arrives = async (): Promise<boolean> => {
      node.relay(next.id, token);
      await delay(relayPauseMs);
      return this.#came.delete(token);
    };
    await until("a node reaches the next", arrives, patienceMs);
  }

  #take(token: string): void {
    if (token.startsWith("proof")) this.#came.add(token);
    else this.#arrived += 1;
  }

  async #relay(signal: AbortSignal): Promise<void> {
    const any = (): RendezvousNode | undefined =>
      this.#nodes[Math.floor(this.#random.next() * this.#nodes.length)];
    while (!signal.aborted) {
      const [from, to] = [any(), any()];
      if (from?.connected === true && to !== undefined && to !== from) {
        from.relay(to.id, `load ${this.#sent}`);
        this.#sent += 1;
      }
      await delay(relayPauseMs);
    }
  }

  async #registerMore(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#register(signal).catch(() => {});
      await delay(registerPauseMs);
    }
  }

  /** An identity that was acknowledged, after as many tries as it takes. @throws the reason of `signal`. */
  async #register(signal: AbortSignal): Promise<Registered> {
    for (;;) {
      signal.throwIfAborted();
      try {
        const registered = await register(this.#base, type);
        this.#registered.push(registered);
        return registered;
      } catch {
        this.#refused += 1;
        await delay(registerPauseMs);
      }
    }
  }
}
