import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { parseActrType } from "../../../src/protocol/ids.ts";
import {
  decode,
  encode,
  RegisterAuthMode,
  RegisterRequestSchema,
  RegisterResponseSchema,
} from "../../../src/protocol/schema.ts";
import type { RendezvousOptions } from "../../../src/rendezvous/options.ts";
import { Rendezvous } from "../../../src/rendezvous/rendezvous.ts";
import { Lines } from "../../integration/rendezvous_server.ts";

const adminToken = "an-operator-s-token";
const context = { remoteAddress: "10.0.0.9" };

/** A rendezvous that is asked without a network. */
class Asked implements AsyncDisposable {
  readonly clock: FakeClock;
  readonly log: Lines;
  readonly #rendezvous: Rendezvous;

  private constructor(rendezvous: Rendezvous, clock: FakeClock, log: Lines) {
    this.#rendezvous = rendezvous;
    this.clock = clock;
    this.log = log;
  }

  static async open(options: RendezvousOptions = { adminToken }): Promise<Asked> {
    const [clock, log] = [new FakeClock(), new Lines()];
    const components = { store: new MemoryStore(), clock, random: new SeededRandom(), log };
    return new Asked(await Rendezvous.open(components, options), clock, log);
  }

  async fetch(path: string, init?: RequestInit): Promise<Response> {
    return await this.#rendezvous.fetch(new Request(`http://server${path}`, init), context);
  }

  /** Status and answer of an operator's request. */
  async ask(path: string, body?: unknown, token = adminToken): Promise<[number, Answer]> {
    const method = body === undefined ? "GET" : "POST";
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await this.fetch(`/admin${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: text }),
    });
    return [response.status, (await response.json()) as Answer];
  }

  /** The code of a registration's error; 200 for a success. */
  async register(realmId: number, secret?: string): Promise<number> {
    const body = encode(RegisterRequestSchema, {
      actrType: parseActrType("acme:echo:1.0.0"),
      realm: { realmId },
      authMode: RegisterAuthMode.LINKED,
    });
    const headers: HeadersInit = secret === undefined ? {} : { "x-actrix-realm-secret": secret };
    const response = await this.fetch("/ais/register", { method: "POST", body, headers });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { result } = decode(RegisterResponseSchema, bytes);
    return result.case === "error" ? result.value.code : 200;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rendezvous[Symbol.asyncDispose]();
  }
}

interface Answer {
  readonly secret: string;
  readonly error: { readonly code: string; readonly message: string };
  readonly realm: Record<string, unknown>;
  readonly realms: readonly Record<string, unknown>[];
  readonly keys: readonly { readonly keyId: number; readonly publicKey: string }[];
  readonly key: { readonly keyId: number };
  readonly nodes: readonly unknown[];
}

describe("admin routes", () => {
  it("are not there without a token to guard them", async () => {
    await using asked = await Asked.open({});
    assert.equal((await asked.fetch("/admin/realms")).status, 404);
    await assert.rejects(Asked.open({ adminToken: "short" }), RangeError);
  });

  it("open to who sends the token, and count wrong ones", async () => {
    await using asked = await Asked.open();
    assert.equal((await asked.fetch("/admin/realms")).status, 401);
    for (const wrong of [`${adminToken}x`, adminToken.slice(1), "x".repeat(5000)]) {
      assert.equal((await asked.ask("/realms", undefined, wrong))[0], 401);
    }
    const tries = Array.from({ length: 20 }, () => asked.ask("/realms", undefined, "wrong"));
    const statuses = (await Promise.all(tries)).map(([status]) => status);
    const refused = statuses.filter((status) => status === 429);
    assert.equal(refused.length, 4, "twenty wrong ones were heard, whichever they were");
    assert.equal((await asked.ask("/realms"))[0], 200, "who has the token is not held up");
    await asked.clock.advance(1000);
    assert.equal((await asked.ask("/realms", undefined, "wrong"))[0], 401);
    assert.ok(asked.log.lines.some((line) => line.startsWith("rendezvous.audit.refused")));
  });

  it("make realms, give them new secrets and close them", async () => {
    await using asked = await Asked.open();
    const [created, { secret, realm }] = await asked.ask("/realms", { id: 7, name: "seven" });
    assert.equal(created, 201);
    assert.deepEqual([realm["id"], realm["hasSecret"]], [7, true]);
    assert.deepEqual([await asked.register(7, secret), await asked.register(7, "no")], [200, 403]);
    assert.equal(await asked.register(8), 403, "a realm that is not there");

    const [rotated, next] = await asked.ask("/realms/7/rotate", { graceMs: 1000 });
    assert.equal(rotated, 200);
    assert.deepEqual(
      [await asked.register(7, secret), await asked.register(7, next.secret)],
      [200, 200],
    );
    await asked.clock.advance(2000);
    assert.equal(await asked.register(7, secret), 403);

    assert.equal((await asked.ask("/realms/7/disable", {}))[0], 200);
    assert.equal(await asked.register(7, next.secret), 403);
    assert.equal((await asked.ask("/realms/7/enable", {}))[0], 200);
    assert.equal(await asked.register(7, next.secret), 200);
    const log = asked.log.lines.join("\n");
    for (const event of ["created", "secret_rotated", "disabled", "enabled"]) {
      assert.match(log, new RegExp(`rendezvous\\.audit\\.realm_${event} .*"realm":7`));
    }
    for (const kept of [secret, next.secret, adminToken]) assert.ok(!log.includes(kept));
  });

  it("say what is wrong with a request", async () => {
    await using asked = await Asked.open();
    await asked.ask("/realms", { id: 7 });
    const wrong: [string, unknown, number][] = [
      ["/realms", { id: 7 }, 409],
      ["/realms", { id: "7" }, 400],
      ["/realms", { id: -1 }, 400],
      ["/realms", { identity: 7 }, 400],
      ["/realms", "[]", 400],
      ["/realms", "{", 400],
      ["/realms", { name: "x".repeat(20_000) }, 413],
      ["/realms/8/rotate", {}, 404],
      ["/keys/1/revoke", {}, 400],
      ["/keys/9/revoke", {}, 404],
      ["/nodes/kick", {}, 400],
      ["/nodes/kick", { id: "nobody" }, 400],
      ["/nodes/kick", { id: "1@7/acme:echo:1.0.0" }, 404],
      ["/nothing", {}, 404],
    ];
    for (const [path, body, status] of wrong) {
      const [given, { error }] = await asked.ask(path, body);
      assert.equal(given, status, `${path} ${JSON.stringify(body).slice(0, 60)}`);
      assert.ok(error.message.length > 0);
    }
  });

  it("announce keys and end those that sign no more", async () => {
    await using asked = await Asked.open();
    const [status, { key }] = await asked.ask("/keys/rotate", { inMs: 0 });
    assert.deepEqual([status, key.keyId], [201, 2]);
    const [, { keys }] = await asked.ask("/keys");
    assert.deepEqual(
      keys.map(({ keyId }) => keyId),
      [1, 2],
    );
    assert.match(keys[0]?.publicKey ?? "", /^[0-9a-f]{64}$/);
    assert.equal((await asked.ask("/keys/1/revoke", {}))[0], 200);
    assert.equal((await asked.ask("/keys"))[1].keys.length, 1);
  });

  it("list nodes, none here", async () => {
    await using asked = await Asked.open();
    assert.deepEqual((await asked.ask("/nodes?type=acme:echo:1.0.0&limit=5"))[1].nodes, []);
  });
});

describe("metrics of a rendezvous", () => {
  it("count what it was asked", async () => {
    await using asked = await Asked.open({});
    await asked.register(1);
    await asked.register(1);
    await asked.fetch("/ais/renew", { method: "POST", body: new Uint8Array([255]) });
    const response = await asked.fetch("/metrics");
    const text = await response.text();
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    assert.match(text, /^roost_rendezvous_exchanges_total\{exchange="register",status="200"\} 2$/m);
    assert.match(text, /^roost_rendezvous_exchanges_total\{exchange="renew",status="400"\} 1$/m);
    assert.match(text, /^roost_rendezvous_nodes 0$/m);
    assert.match(text, /^roost_store_fault 0$/m);
  });
});
