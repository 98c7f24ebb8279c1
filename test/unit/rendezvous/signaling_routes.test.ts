import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Hono } from "hono";
import type { RequestContext, UpgradeOptions } from "../../../src/ports/sockets.ts";
import type { ActrId } from "../../../src/protocol/ids.ts";
import { signalingUrl } from "../../../src/protocol/signaling_query.ts";
import type { RendezvousEnv } from "../../../src/rendezvous/ais/ais_routes.ts";
import type { RendezvousOptions } from "../../../src/rendezvous/options.ts";
import { addSignalingRoutes } from "../../../src/rendezvous/signaling_routes.ts";
import { Bench, FakeSocket } from "./bench.ts";

const id: ActrId = {
  realm: 1,
  serial: 1n,
  type: { manufacturer: "acme", name: "echo", version: "1.0.0" },
};

/** The routes of a signaling server, asked without a network. */
class Door {
  readonly bench: Bench;
  readonly #app = new Hono<RendezvousEnv>();
  accepted: UpgradeOptions | undefined;

  private constructor(bench: Bench) {
    this.bench = bench;
    addSignalingRoutes(this.#app, bench.server, bench.ais);
  }

  static async open(options?: RendezvousOptions): Promise<Door> {
    return new Door(await Bench.open(options));
  }

  /** The query of a node with a good credential. */
  async query(of = id, lifeSeconds?: number): Promise<URLSearchParams> {
    const credential = await this.bench.credential(of, lifeSeconds);
    return new URL(signalingUrl("http://node/", { id: of, credential })).searchParams;
  }

  /** Status and length of the answer to an upgrade; 101 stands for an accepted one. */
  async knock(
    query: URLSearchParams,
    { path = "/signaling/ws", address = "10.0.0.1", headers = {} as Record<string, string> } = {},
  ): Promise<[status: number, length: number, wait: string | null]> {
    const context: RequestContext = {
      remoteAddress: address,
      upgrade: (options, onSocket) => {
        this.accepted = options;
        onSocket(new FakeSocket());
        return new Response(null, { status: 204, headers: { accepted: "yes" } });
      },
    };
    const request = new Request(`http://node${path}?${query}`, { headers });
    const response = await this.#app.fetch(request, context);
    const status = response.headers.has("accepted") ? 101 : response.status;
    return [status, (await response.text()).length, response.headers.get("retry-after")];
  }

  async plain(path: string): Promise<number> {
    return (await this.#app.fetch(new Request(`http://node${path}`), { remoteAddress: "x" }))
      .status;
  }
}

describe("the door of signaling", () => {
  for (const path of ["/signaling/ws", "/"]) {
    it(`lets a good credential in at ${path}`, async () => {
      const door = await Door.open({ limits: { maxMessageBytes: 77 } });
      assert.deepEqual(await door.knock(await door.query(), { path }), [101, 0, null]);
      assert.deepEqual(door.accepted, { maxMessageBytes: 77 });
      assert.equal(door.bench.server.nodes, 1);
    });
  }

  // Section 7.1: each of these is answered 401 with an empty body.
  const bad: readonly [what: string, change: (query: URLSearchParams) => void][] = [
    ["actor_id is missing", (query) => query.delete("actor_id")],
    ["key_id is missing", (query) => query.delete("key_id")],
    ["claims are missing", (query) => query.delete("claims")],
    ["the signature is missing", (query) => query.delete("signature")],
    ["actor_id is no id", (query) => query.set("actor_id", "me")],
    ["key_id is no number", (query) => query.set("key_id", "0x1")],
    ["claims are no base64", (query) => query.set("claims", "?")],
    ["the key is not known", (query) => query.set("key_id", "9")],
    ["the signature is another's", (query) => query.set("signature", btoa("x".repeat(64)))],
    ["the serial is another's", (query) => query.set("actor_id", "2@1/acme:echo:1.0.0")],
    ["the realm is another's", (query) => query.set("actor_id", "1@2/acme:echo:1.0.0")],
    ["the type is another's", (query) => query.set("actor_id", "1@1/acme:echo:2.0.0")],
  ];
  for (const [what, change] of bad) {
    it(`answers 401 when ${what}`, async () => {
      const door = await Door.open();
      const query = await door.query();
      change(query);
      assert.deepEqual(await door.knock(query), [401, 0, null]);
      assert.equal(door.bench.server.nodes, 0);
    });
  }

  it("answers 401 when the credential has expired", async () => {
    const door = await Door.open();
    assert.deepEqual(await door.knock(await door.query(id, 0)), [401, 0, null]);
  });

  it("answers 401 when the realm is not there", async () => {
    const door = await Door.open({ realms: [{ id: 2 }] });
    assert.deepEqual(await door.knock(await door.query()), [401, 0, null]);
  });

  it("remembers who only answers", async () => {
    const door = await Door.open();
    const query = await door.query();
    query.set("webrtc_role", "answer");
    await door.knock(query);
    assert.deepEqual(
      [...door.bench.hub.directory.all()].map(({ answersOnly }) => answersOnly),
      [true],
    );
  });

  it("answers 429 and when to try again to an address that knocks too often, before it looks at its query", async () => {
    const limits = { addressBurst: 2, addressRequestsPerSecond: 0.25 };
    const door = await Door.open({ limits });
    const nothing = new URLSearchParams();
    for (let count = 0; count < 2; count++) {
      assert.deepEqual(await door.knock(nothing), [401, 0, null]);
    }
    assert.deepEqual(await door.knock(await door.query()), [429, 0, "4"]);
    assert.deepEqual(await door.knock(nothing, { address: "10.0.0.2" }), [401, 0, null]);
  });

  it("answers 429 to an address with too many connections, 503 when there are too many in all", async () => {
    const door = await Door.open({ limits: { maxConnectionsPerAddress: 1, maxConnections: 2 } });
    const query = async (serial: bigint) => await door.query({ ...id, serial });
    assert.equal((await door.knock(await query(1n)))[0], 101);
    assert.equal((await door.knock(await query(2n)))[0], 429);
    assert.equal((await door.knock(await query(2n), { address: "10.0.0.2" }))[0], 101);
    assert.equal((await door.knock(await query(3n), { address: "10.0.0.3" }))[0], 503);
    assert.equal(door.bench.server.nodes, 2);
  });

  it("counts those that come at once", async () => {
    const door = await Door.open({ limits: { maxConnectionsPerAddress: 1 } });
    const queries = await Promise.all([door.query(), door.query({ ...id, serial: 2n })]);
    const answers = await Promise.all(queries.map((query) => door.knock(query)));
    assert.deepEqual(answers.map(([status]) => status).sort(), [101, 429]);
  });

  it("counts whom a proxy names, where one is trusted to", async () => {
    const limits = { maxConnectionsPerAddress: 1 };
    const door = await Door.open({ limits, addressHeader: "x-forwarded-for" });
    const from = async (serial: bigint, address: string) => {
      const query = await door.query({ ...id, serial });
      return (await door.knock(query, { headers: { "x-forwarded-for": address } }))[0];
    };
    assert.equal(await from(1n, "192.0.2.1"), 101);
    assert.equal(await from(2n, "192.0.2.2"), 101);
    assert.equal(await from(3n, "192.0.2.1"), 429);
  });

  it("answers 426 to what is no upgrade, and leaves the root to others", async () => {
    const door = await Door.open();
    assert.equal(await door.plain("/signaling/ws"), 426);
    assert.equal(await door.plain("/"), 404);
    assert.equal(await door.plain("/signaling/health"), 200);
  });
});
