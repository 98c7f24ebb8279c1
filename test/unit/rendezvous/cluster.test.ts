import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { MemoryNetwork } from "../../../adapters/memory/memory_sockets.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { watchCryptography } from "../../../adapters/memory/watched_cryptography.ts";
import { WorldClock } from "../../../adapters/memory/world_clock.ts";
import { ActrError } from "../../../src/errors.ts";
import type { HttpServer, Socket, Sockets } from "../../../src/ports/sockets.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import { type ActrId, parseActrType } from "../../../src/protocol/ids.ts";
import {
  decode,
  encode,
  RegisterAuthMode,
  RegisterRequestSchema,
  type RegisterResponse_RegisterOk,
  RegisterResponseSchema,
  type SignalingEnvelope,
} from "../../../src/protocol/schema.ts";
import { decodeSignaling, encodeSignaling } from "../../../src/protocol/signaling.ts";
import { signalingUrl } from "../../../src/protocol/signaling_query.ts";
import type { ClusterOptions } from "../../../src/rendezvous/cluster/options.ts";
import { Rendezvous, type RendezvousHealth } from "../../../src/rendezvous/rendezvous.ts";
import { silent } from "./silent_logger.ts";

const leaseMs = 9_000;
const echo = "acme:echo:1.0.0";

/** What ends the watches of a test's worlds. */
const watches: (() => void)[] = [];

/** Servers on one store and one network, all in memory; time stands still while keys and proofs are made and checked. */
class World {
  readonly clock = new WorldClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly store = new MemoryStore();
  readonly #servers: Server[] = [];
  #seed = 0;

  constructor() {
    watches.push(watchCryptography((work) => this.clock.during(work)));
  }

  async server(
    host: string,
    options: ClusterOptions = { peerUrl: `ws://${host}` },
  ): Promise<Server> {
    const { clock, network } = this;
    const store = this.store.share();
    const sockets = network.sockets();
    let dead = false;
    const random = new SeededRandom(++this.#seed);
    const dialling: Sockets = {
      ...{ name: sockets.name, capabilities: sockets.capabilities },
      connect: async (url, how) => {
        if (dead) throw new ActrError("unavailable", "nobody dials any more");
        return await sockets.connect(url, how);
      },
    };
    const components = { store, clock, random, log: silent, sockets: dialling };
    const cluster = { leaseMs, ...options };
    const rendezvous = await Rendezvous.open(components, { cluster });
    const fetch = rendezvous.fetch.bind(rendezvous);
    const http = network.listen({ hostname: host, port: 80, fetch });
    const kill = async (): Promise<void> => {
      // Nothing that it does from now on reaches anybody.
      dead = true;
      store.fail("the process is gone");
      sockets.dropAll();
      await http.close();
    };
    const unlink = (): void => sockets.dropAll();
    const server = { host, rendezvous, http, store, unlink, kill };
    this.#servers.push(server);
    await this.until(() =>
      this.#servers.every((each) => this.#servers.length === 1 || linked(each)),
    );
    return server;
  }

  /** Lets time pass until `holds`. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await holds()); tries++) {
      assert.ok(tries < 1000, "it never comes to that");
      await this.clock.advance(50);
    }
  }

  /** Lets time pass in small steps. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) await this.clock.advance(100);
  }
}

interface Server {
  readonly host: string;
  readonly rendezvous: Rendezvous;
  readonly http: HttpServer;
  readonly store: MemoryStore;
  /** Cuts the lines that it has dialled. */
  unlink(): void;
  /** As a power cut does. */
  kill(): Promise<void>;
}

function servers({ rendezvous }: Server): RendezvousHealth["servers"] {
  return rendezvous.health().servers;
}

function linked(server: Server): boolean {
  const all = servers(server) ?? [];
  return all.length > 1 && all.every((each) => each.linked);
}

/** A bare node. */
class Node {
  readonly id: ActrId;
  readonly got: SignalingEnvelope[] = [];
  closedWith: number | undefined;
  readonly #registered: RegisterResponse_RegisterOk;
  readonly #socket: Socket;

  private constructor(registered: RegisterResponse_RegisterOk, socket: Socket) {
    this.id = fromActrIdMessage(registered.actrId);
    this.#registered = registered;
    this.#socket = socket;
    socket.handle({
      message: (data) => void this.got.push(decodeSignaling(data)),
      closed: ({ code }) => {
        this.closedWith = code;
      },
    });
  }

  static async join(world: World, { host }: Server): Promise<Node> {
    const body = encode(RegisterRequestSchema, {
      actrType: parseActrType(echo),
      realm: { realmId: 1 },
      authMode: RegisterAuthMode.LINKED,
    });
    const response = await world.network.fetch(`http://${host}/ais/register`, {
      method: "POST",
      body,
    });
    const { result } = decode(RegisterResponseSchema, new Uint8Array(await response.arrayBuffer()));
    assert.ok(result.case === "success");
    return await Node.#connect(world, host, result.value);
  }

  /** The same node again, at another server perhaps. */
  again(world: World, { host }: Server, passMs?: number): Promise<Node> {
    return Node.#connect(world, host, this.#registered, passMs);
  }

  drop(): void {
    this.#socket.terminate();
  }

  static async #connect(
    world: World,
    host: string,
    registered: RegisterResponse_RegisterOk,
    passMs = 200,
  ): Promise<Node> {
    const { credential } = registered;
    assert.ok(credential);
    const id = fromActrIdMessage(registered.actrId);
    const url = signalingUrl(`ws://${host}/signaling/ws`, { id, credential });
    const signal = AbortSignal.timeout(60_000);
    const socket = await world.network.sockets().connect(url, { maxMessageBytes: 1 << 20, signal });
    const node = new Node(registered, socket);
    await world.pass(passMs);
    return node;
  }

  /** Serials of the nodes that it finds. */
  async finds(world: World): Promise<bigint[]> {
    const payload = {
      case: "routeCandidatesRequest",
      value: {
        targetType: parseActrType(echo),
        clientFingerprint: "",
        criteria: { candidateCount: 100 },
      },
    } as const;
    const [answer] = await this.#send(world, "env", {
      case: "actrToServer",
      value: { source: this.#registered.actrId, credential: this.#registered.credential, payload },
    });
    assert.ok(answer?.flow.case === "serverToActr");
    const found = answer.flow.value.payload;
    assert.ok(found.case === "routeCandidatesResponse" && found.value.result.case === "success");
    return found.value.result.value.candidates.map(({ serialNumber }) => serialNumber).sort();
  }

  /** Code of the error that a relay is answered with, if it is. */
  async relays(world: World, to: ActrId): Promise<number | undefined> {
    const payload = { case: "iceRestartRequest", value: { reason: "test" } } as const;
    const { actrId: source, credential } = this.#registered;
    const [answer] = await this.#send(world, "relay", {
      case: "actrRelay",
      value: { source, target: toActrIdMessage(to), credential, payload },
    });
    if (answer?.flow.case !== "serverToActr") return undefined;
    return answer.flow.value.payload.case === "error"
      ? answer.flow.value.payload.value.code
      : undefined;
  }

  get relayed(): number {
    return this.got.filter(({ flow }) => flow.case === "actrRelay").length;
  }

  async #send(
    world: World,
    envelopeId: string,
    flow: Parameters<typeof encodeSignaling>[0]["flow"],
  ): Promise<SignalingEnvelope[]> {
    this.got.splice(0);
    this.#socket.send(encodeSignaling({ envelopeId, ...(flow && { flow }) }));
    await world.pass(500);
    return this.got.filter(({ replyFor }) => replyFor === envelopeId);
  }
}

describe("a cluster of rendezvous", () => {
  afterEach(() => {
    for (const stop of watches.splice(0)) stop();
  });

  it("keeps the nodes of a dead server for its lease, and no longer", async () => {
    const world = new World();
    const [a, b] = [await world.server("a"), await world.server("b")];
    assert.ok(linked(a) && linked(b));
    const [asking, lost] = [await Node.join(world, a), await Node.join(world, b)];
    assert.deepEqual(await asking.finds(world), [lost.id.serial]);
    await b.kill();
    await world.pass(leaseMs / 3);
    assert.deepEqual(await asking.finds(world), [lost.id.serial], "it may be back in a moment");
    assert.equal(await asking.relays(world, lost.id), 503, "who is told nothing would wait");
    await world.pass(2 * leaseMs);
    assert.deepEqual(await asking.finds(world), []);
    assert.equal(servers(a)?.length, 1);
    const back = await lost.again(world, a);
    assert.deepEqual(await asking.finds(world), [back.id.serial]);
  });

  it("takes a node that comes from a dead server as it comes", async () => {
    const world = new World();
    const [a, b] = [await world.server("a"), await world.server("b")];
    const [asking, moving] = [await Node.join(world, a), await Node.join(world, b)];
    await b.kill();
    const moved = await moving.again(world, a);
    assert.equal(await asking.relays(world, moved.id), undefined);
    assert.equal(moved.relayed, 1);
    await world.pass(3 * leaseMs);
    assert.deepEqual(await asking.finds(world), [moved.id.serial], "the dead have no say in it");
  });

  it("goes on under another number when it was taken for dead", async () => {
    const world = new World();
    const [a, b] = [await world.server("a"), await world.server("b")];
    const [asking, there] = [await Node.join(world, a), await Node.join(world, b)];
    const number = servers(b)?.[0]?.server;
    world.network.faults.blackhole = true;
    b.store.fail("cannot be reached");
    await world.pass(3 * leaseMs);
    world.network.faults.blackhole = false;
    assert.deepEqual(await asking.finds(world), []);
    b.store.fail(undefined);
    await world.until(() => linked(a) && linked(b));
    assert.notEqual(servers(b)?.[0]?.server, number);
    assert.deepEqual(await asking.finds(world), [there.id.serial]);
    assert.deepEqual(await there.finds(world), [asking.id.serial]);
  });

  it("buries nobody while the store is away", async () => {
    const world = new World();
    const [a, b] = [await world.server("a"), await world.server("b")];
    const [asking, there] = [await Node.join(world, a), await Node.join(world, b)];
    for (const { store } of [a, b]) store.fail("no server");
    await world.pass(5 * leaseMs);
    assert.deepEqual(await asking.finds(world), [there.id.serial]);
    assert.equal(await asking.relays(world, there.id), undefined);
    for (const { store } of [a, b]) store.fail(undefined);
    await world.pass(2 * leaseMs);
    assert.deepEqual(await asking.finds(world), [there.id.serial]);
  });

  it("buries nobody while nobody can read the store", async () => {
    const world = new World();
    const [a, b] = [await world.server("a", {}), await world.server("b", {})];
    const [asking, there] = [await Node.join(world, a), await Node.join(world, b)];
    const numbers = [servers(a)?.[0]?.server, servers(b)?.[0]?.server];
    const away = async (): Promise<never> => {
      throw new ActrError("storage", "no server");
    };
    const reads = [a, b].map(({ store }) => ({ store, records: store.records }));
    for (const { store } of reads) Object.assign(store, { records: away, record: away });
    for (const { store } of reads) store.fail("no server");
    await world.pass(5 * leaseMs);
    for (const { store, records } of reads) {
      Object.assign(store, { records });
      Reflect.deleteProperty(store, "record");
      store.fail(undefined);
    }
    await world.until(() => linked(a) && linked(b));
    assert.deepEqual([servers(a)?.[0]?.server, servers(b)?.[0]?.server], numbers);
    assert.deepEqual(await asking.finds(world), [there.id.serial]);
  });

  it("learns of what happened while it had no line", async () => {
    const world = new World();
    const [a, b] = [await world.server("a"), await world.server("b")];
    const asking = await Node.join(world, a);
    const [gone, moving, staying] = [
      await Node.join(world, b),
      await Node.join(world, b),
      await Node.join(world, b),
    ];
    assert.equal((await asking.finds(world)).length, 3);
    b.unlink();
    gone.drop();
    const moved = await moving.again(world, a, 0);
    assert.ok(!linked(a), "it has not come back yet");
    const late = await Node.join(world, b);
    await world.until(() => linked(a) && linked(b));
    await world.pass(500);
    const expected = [moved, staying, late].map(({ id }) => id.serial).sort();
    assert.deepEqual(await asking.finds(world), expected);
    assert.deepEqual([moving.closedWith, moved.closedWith], [1008, undefined]);
  });

  it("talks through the store while a server cannot be dialled, and by sockets once it can", async () => {
    const world = new World();
    const a = await world.server("a", { peerUrl: "ws://elsewhere" });
    const b = await world.server("b");
    await world.pass(2 * leaseMs);
    assert.ok(linked(a) && linked(b), "through the store");
    const [asking, there] = [await Node.join(world, a), await Node.join(world, b)];
    assert.deepEqual(await asking.finds(world), [there.id.serial]);
    assert.equal(await asking.relays(world, there.id), undefined);
    await world.pass(1000);
    assert.equal(there.relayed, 1);
    const before = world.network.openSockets;
    const fetch = a.rendezvous.fetch.bind(a.rendezvous);
    world.network.listen({ hostname: "elsewhere", port: 80, fetch });
    await world.until(() => world.network.openSockets === before + 2);
    assert.deepEqual(await asking.finds(world), [there.id.serial]);
    const mail = await world.store.records("rendezvous.mail.000000000001", "", 10);
    assert.deepEqual(mail, [], "no letters stay");
  });

  it("has a node on one of three servers, the one that it came to last", async () => {
    const world = new World();
    const all = [await world.server("a"), await world.server("b"), await world.server("c")];
    const [a, b, c] = all as [Server, Server, Server];
    assert.ok(all.every(linked) && all.every((each) => servers(each)?.length === 3));
    const asking = await Node.join(world, c);
    const first = await Node.join(world, a);
    const second = await first.again(world, b);
    await world.pass(500);
    assert.deepEqual([first.closedWith, second.closedWith], [1008, undefined]);
    assert.deepEqual(await asking.finds(world), [first.id.serial]);
    await b.rendezvous[Symbol.asyncDispose]();
    await world.pass(500);
    assert.deepEqual(await asking.finds(world), []);
    assert.deepEqual([servers(a)?.length, servers(c)?.length], [2, 2]);
  });
});
