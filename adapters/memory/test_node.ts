import { type ActorsOf, actorsOf, type WithActors } from "../../src/actor_client.ts";
import type { NodeContext, ServiceClient } from "../../src/context.ts";
import { defineNode, type NodeDefinition } from "../../src/define.ts";
import { ActrError } from "../../src/errors.ts";
import { httpApp } from "../../src/http/app.ts";
import { Node } from "../../src/node/node.ts";
import type { NodeComponents, NodeSettings } from "../../src/node/node_components.ts";
import { senderToFound, serviceClient } from "../../src/outbound/service_client.ts";
import type { HttpServer } from "../../src/ports/sockets.ts";
import type { Listener, Transport } from "../../src/ports/transport.ts";
import type { ActrId } from "../../src/protocol/ids.ts";
import type { ServiceDescriptor } from "../../src/protocol/service.ts";
import { MemoryTransport } from "../../transports/memory/memory_transport.ts";
import { WebSocketTransport } from "../../transports/websocket/websocket_transport.ts";
import { MemoryDatabases } from "../sql/memory_databases.ts";
import type { MemorySockets } from "./memory_sockets.ts";
import { MemoryStore } from "./memory_store.ts";
import { TestWorld, type TestWorldOptions } from "./test_world.ts";
import type { WorldClock } from "./world_clock.ts";

/** How one test node lives. */
export interface TestPeerOptions {
  /** How peers reach it: links of memory, or the real WebSocket transport over sockets of memory. @default "memory" */
  readonly transport?: "memory" | "websocket";
  /** u32. @default 1001 */
  readonly realm?: number;
  readonly realmSecret?: string;
  /** Its disk. @default a new one */
  readonly store?: MemoryStore;
  /** Opens the node's `/inspect/*` to who sends it. */
  readonly inspectToken?: string;
  /** Opens its actors over HTTP to who sends it. @default they are open */
  readonly actorToken?: string;
  /** Ends the start. */
  readonly signal?: AbortSignal;
  /** Replaces parts that the node stands on, for tests of their failures. */
  readonly components?: Partial<NodeComponents>;
}

/** How a test node and the world around it are made. */
export type TestNodeOptions = TestPeerOptions & TestWorldOptions;

/**
 * Starts a real node for a test: memory transport and store, seeded randomness, a real rendezvous in
 * the same process, and a time that stands still until the test advances it. Disposing it ends the whole world.
 *
 * @example
 * ```ts
 * await using t = await testNode(app);
 * const { reply } = await t.service(EchoService).echo({ message: "hi" });
 * assert.equal(reply, "Echo: hi");
 * await t.clock.advance(60_000);
 * ```
 */
export async function testNode<App extends NodeDefinition>(
  app: App,
  options: TestNodeOptions = {},
): Promise<TestNode<App>> {
  const world = await TestWorld.open(options);
  try {
    return await TestNode.start<App>(world, app, options, () => world[Symbol.asyncDispose]());
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

/** A real node in a world of memory. */
export class TestNode<App extends WithActors = NodeDefinition> implements AsyncDisposable {
  /** Everything that it shares with its peers: network, hub, rendezvous. */
  readonly world: TestWorld;
  /** Name on the world's network; the HTTP endpoint is `http://HOST/`. */
  readonly host: string;
  readonly #definition: NodeDefinition;
  readonly #options: TestPeerOptions;
  readonly #end: () => Promise<void>;
  #store: MemoryStore;
  readonly #databases = new MemoryDatabases();
  #sockets: MemorySockets;
  #node: Node | undefined;
  #peers: WebSocketTransport | undefined;
  #server: HttpServer | undefined;
  #listeners: Listener[] = [];
  #caller: Promise<TestNode> | undefined;

  private constructor(
    world: TestWorld,
    definition: NodeDefinition,
    options: TestPeerOptions,
    end: (() => Promise<void>) | undefined,
  ) {
    this.world = world;
    this.host = world.newHost();
    this.#definition = definition;
    this.#options = options;
    this.#end = end ?? (() => this.stop());
    this.#store = options.store ?? new MemoryStore();
    this.#sockets = world.network.sockets();
  }

  /** Starts a node in `world`; `end` is what disposing it does. @throws as {@link Node.start}. */
  static async start<App extends NodeDefinition>(
    world: TestWorld,
    definition: App,
    options: TestPeerOptions = {},
    end?: () => Promise<void>,
  ): Promise<TestNode<App>> {
    const started = new TestNode<App>(world, definition, options, end);
    await started.#start();
    world.onClose(() => started.stop());
    return started;
  }

  /** The running node; another object after {@link restart}. */
  get node(): Node {
    if (this.#node === undefined) throw new TypeError(`${this.host} does not run`);
    return this.#node;
  }

  get id(): ActrId {
    return this.node.id;
  }

  /** Calls peers, in the node's name. */
  get context(): NodeContext {
    return this.node.context;
  }

  /** The world's time. */
  get clock(): WorldClock {
    return this.world.clock;
  }

  /** What the node has on disk. */
  get store(): MemoryStore {
    return this.#store;
  }

  /** The actors that live on this node, called from its own process. */
  get actors(): ActorsOf<App> {
    return actorsOf<App>(this.node.actors.callerOf({}));
  }

  /** A typed client that calls this node over the world's network, as a peer. */
  service<S extends ServiceDescriptor>(descriptor: S): ServiceClient<S> {
    const sender = senderToFound(async () => {
      this.#caller ??= this.clock.during(this.peer());
      return { context: (await this.#caller).context, target: this.id };
    });
    return serviceClient(sender, descriptor);
  }

  /** Starts another node in the same world. @throws as {@link Node.start}. */
  peer(
    definition: NodeDefinition = defineNode({}),
    options: TestPeerOptions = {},
  ): Promise<TestNode> {
    const { transport = "memory", realm, realmSecret } = this.#options;
    const inherited = {
      transport,
      ...(realm === undefined ? {} : { realm }),
      ...(realmSecret === undefined ? {} : { realmSecret }),
    };
    return TestNode.start(this.world, definition, { ...inherited, ...options });
  }

  /** Asks the node's HTTP endpoint. */
  fetch(path: string, init?: RequestInit): Promise<Response> {
    return this.world.network.fetch(`http://${this.host}${path}`, init);
  }

  /** Stops the node; time passes as far as its handlers and hooks need it. Idempotent. */
  async stop(): Promise<void> {
    if (this.#node === undefined) return;
    await this.clock.through(this.#node.stop());
    this.#node = undefined;
    await this.#server?.close();
    await this.#store.close();
  }

  /** Ends the node and starts it again on the same store; with `crash`, as after `kill -9`: nothing is finished, nobody is told. */
  async restart({ crash = false }: { readonly crash?: boolean } = {}): Promise<void> {
    if (crash) await this.#crash();
    else await this.stop();
    this.#store = this.#store.reopen();
    await this.#start();
  }

  /** Ends the node; and, for the node that `testNode` returned, its world. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }

  async #start(): Promise<void> {
    const { world, host } = this;
    const { inspectToken, actorToken } = this.#options;
    this.#sockets = world.network.sockets();
    const fetch = httpApp({
      node: () => this.#node,
      acceptPeer: () => this.#peers?.accept.bind(this.#peers),
      ...(inspectToken === undefined ? {} : { inspectToken }),
      ...(actorToken === undefined ? {} : { actorToken }),
      runtime: "memory",
    });
    const server = world.network.listen({ hostname: host, port: 80, fetch });
    this.#server = server;
    try {
      const { signal } = this.#options;
      const bounds = signal === undefined ? {} : { signal };
      this.#node = await Node.start(this.#definition, this.#components(), this.#settings(), bounds);
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** What is left of a node whose process died: its store has moved on, its connections are gone, its timers are off. */
  async #crash(): Promise<void> {
    const { node } = this;
    const gone = new ActrError("stopping", "the process was killed");
    this.#store = this.#store.reopen();
    this.#node = undefined;
    node.hooks.close();
    this.#sockets.dropAll();
    void node.outbound.sessions.closeAll("the process was killed");
    await this.#server?.close();
    for (const listener of this.#listeners) await listener[Symbol.asyncDispose]();
    node.actors.abandon(gone);
    await Promise.all([
      node.inbound.close(gone),
      node.presence.close(),
      node.outbound.close("the process was killed"),
    ]);
  }

  #settings(): NodeSettings {
    const { realm = 1001, realmSecret, transport } = this.#options;
    const { aisUrl, signalingUrl } = this.world;
    return {
      realm,
      aisUrl,
      signalingUrl,
      ...(realmSecret === undefined ? {} : { realmSecret }),
      ...(transport === "websocket" ? { wsAddress: `ws://${this.host}/ws` } : {}),
    };
  }

  #components(): NodeComponents {
    const { world } = this;
    const { clock, log, fetch } = world;
    const sockets = world.timeless(this.#sockets);
    return {
      clock,
      log,
      fetch,
      sockets,
      random: world.random(),
      store: this.#store,
      databases: this.#databases,
      transports: (identity) => {
        const { authenticate } = identity;
        const parts = {
          ...identity,
          authenticate: ((claim, options) =>
            clock.during(authenticate(claim, options))) as typeof authenticate,
        };
        if (this.#options.transport !== "websocket") {
          return [this.#watched(new MemoryTransport({ hub: world.hub, clock, log, ...parts }))];
        }
        this.#peers = new WebSocketTransport({ sockets, clock, log, ...parts });
        return [this.#watched(this.#peers)];
      },
      ...this.#options.components,
    };
  }

  /** Remembers the transport's listeners, so that a crash can end them. */
  #watched<T extends Transport>(transport: T): T {
    const listen = transport.listen?.bind(transport);
    this.#listeners = [];
    if (listen === undefined) return transport;
    transport.listen = async (onLink, options) => {
      const listener = await listen(onLink, options);
      this.#listeners.push(listener);
      return listener;
    };
    return transport;
  }
}
