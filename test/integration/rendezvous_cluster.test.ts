import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { nodeSockets } from "../../adapters/node/sockets.ts";
import { ActrError } from "../../src/errors.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../src/protocol/id_messages.ts";
import { type ActrId, formatActrId, parseActrType } from "../../src/protocol/ids.ts";
import type { ClusterOptions } from "../../src/rendezvous/cluster/options.ts";
import { freePort } from "../fixtures/ports.ts";
import { until } from "../fixtures/until.ts";
import { Client, idOf, only, register, renew } from "./rendezvous_client.ts";
import { Running } from "./rendezvous_server.ts";

const echo = "acme:EchoService:1.0.0";
const caller = "acme:caller:0.1.0";
const patience = 60_000;
const adminToken = "an-operator-s-token";

const offer = {
  case: "sessionDescription",
  value: { type: 0, sdp: "v=0", sdpExchangeId: "x-1" },
} as const;

/** Two servers on one store. */
class Pair implements AsyncDisposable {
  readonly a: Running;
  readonly b: Running;

  private constructor(a: Running, b: Running) {
    this.a = a;
    this.b = b;
  }

  static async start(direct: boolean): Promise<Pair> {
    const store = new MemoryStore();
    const start = async (): Promise<Running> => {
      const port = await freePort();
      const peer: ClusterOptions = direct ? { peerUrl: `http://127.0.0.1:${port}/` } : {};
      return await Running.start(
        store.share(),
        { adminToken, cluster: { ...peer, pollMs: 20 } },
        port,
      );
    };
    const pair = new Pair(await start(), await start());
    const linked = ({ rendezvous }: Running): boolean =>
      rendezvous.health().servers?.every((server) => server.linked) === true;
    const met = (): boolean =>
      [pair.a, pair.b].every(
        (each) => each.rendezvous.health().servers?.length === 2 && linked(each),
      );
    await until("the servers have met", met, patience);
    return pair;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.a[Symbol.asyncDispose]();
    await this.b[Symbol.asyncDispose]();
  }
}

interface Operated {
  readonly secret?: string;
  readonly nodes?: readonly { readonly id: string; readonly server?: number }[];
  readonly realms?: readonly { readonly enabled: boolean }[];
}

async function operate({ base }: Running, path: string, body?: object): Promise<Operated> {
  const response = await fetch(`${base}/admin${path}`, {
    headers: { authorization: `Bearer ${adminToken}` },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return (await response.json()) as Operated;
}

async function candidates(client: Client, type: string): Promise<ActrId[]> {
  const answer = await client.request({
    case: "routeCandidatesRequest",
    value: {
      targetType: parseActrType(type),
      clientFingerprint: "",
      criteria: { candidateCount: 8 },
    },
  });
  const { result } = only(answer, "routeCandidatesResponse").value;
  assert.equal(result.case, "success");
  return result.case === "success" ? result.value.candidates.map(fromActrIdMessage) : [];
}

async function finds(client: Client, type: string, wanted: readonly ActrId[]): Promise<void> {
  const expected = wanted.map(formatActrId).sort();
  const found = async (): Promise<boolean> => {
    const ids = (await candidates(client, type)).map(formatActrId).sort();
    return JSON.stringify(ids) === JSON.stringify(expected);
  };
  await until(`${expected.length} nodes of ${type} are found`, found, patience);
}

for (const direct of [true, false]) {
  describe(`servers on one store, ${direct ? "by sockets" : "through the store"}`, () => {
    it("find, reach and hear of each other's nodes", async () => {
      await using pair = await Pair.start(direct);
      await using watching = await Client.join(pair.a.base, caller);
      await watching.request({
        case: "subscribeActrUpRequest",
        value: { targetType: parseActrType(echo) },
      });
      await using far = await Client.join(pair.b.base, echo, { acl: { rules: [] } });
      await finds(far, caller, [watching.id]);
      assert.deepEqual(await candidates(watching, echo), [], "its rules let nobody in");

      await using open = await Client.join(pair.b.base, echo, { wsAddress: "ws://10.0.0.7:1/ws" });
      const up = await watching.next(
        ({ flow }) => flow.case === "serverToActr" && flow.value.payload.case === "actrUpEvent",
      );
      assert.ok(up.flow.case === "serverToActr" && up.flow.value.payload.case === "actrUpEvent");
      assert.deepEqual(fromActrIdMessage(up.flow.value.payload.value.actorId), open.id);
      await finds(watching, echo, [open.id]);

      const refused = only(await watching.answer(watching.relay(far.id, offer)), "error").value;
      assert.equal(refused.code, 403, "rules hold across servers");
      far.relay(watching.id, offer);
      const came = await watching.next(({ flow }) => flow.case === "actrRelay");
      assert.ok(came.flow.case === "actrRelay");
      assert.deepEqual(came.flow.value.payload, { ...came.flow.value.payload, case: offer.case });
      assert.equal(came.flow.value.credential?.signature.length, 0, "no credential passes");
      watching.relay(far.id, offer);
      await far.next(({ flow }) => flow.case === "actrRelay");
    });

    it("settle roles of nodes at both", async () => {
      await using pair = await Pair.start(direct);
      await using one = await Client.join(pair.a.base, caller);
      await using other = await Client.join(pair.b.base, echo, {}, { role: "answer" });
      await finds(one, echo, [other.id]);
      one.relay(other.id, {
        case: "roleNegotiation",
        value: { from: toActrIdMessage(one.id), to: toActrIdMessage(other.id), realmId: 1001 },
      });
      const roles = await Promise.all(
        [one, other].map((each) => each.next(({ flow }) => flow.case === "actrRelay")),
      );
      const offers = roles.map(({ flow }) => {
        assert.ok(flow.case === "actrRelay" && flow.value.payload.case === "roleAssignment");
        return flow.value.payload.value.isOfferer;
      });
      assert.deepEqual(offers, [true, false], "the one that only answers was told so elsewhere");
    });

    it("have a node once: the connection that it made last", async () => {
      await using pair = await Pair.start(direct);
      await using asking = await Client.join(pair.a.base, caller);
      const registered = await register(pair.a.base, echo);
      const first = await Client.connect(pair.a.base, registered);
      await finds(asking, echo, [first.id]);
      const second = await Client.connect(pair.b.base, registered);
      assert.equal((await first.closed).code, 1008);
      await finds(asking, echo, [second.id]);
      await using third = await Client.connect(pair.a.base, registered);
      assert.equal((await second.closed).code, 1008);
      await finds(asking, echo, [third.id]);
      asking.relay(third.id, offer);
      await third.next(({ flow }) => flow.case === "actrRelay");
    });

    it("forget a node that leaves, and those of a server that stops", async () => {
      await using pair = await Pair.start(direct);
      await using asking = await Client.join(pair.a.base, caller);
      await using leaving = await Client.join(pair.b.base, echo);
      await using staying = await Client.join(pair.b.base, echo);
      await finds(asking, echo, [leaving.id, staying.id]);
      await leaving.request({
        case: "unregisterRequest",
        value: { actrId: toActrIdMessage(leaving.id) },
      });
      await finds(asking, echo, [staying.id]);
      await pair.b.rendezvous[Symbol.asyncDispose]();
      await finds(asking, echo, []);
      assert.equal(pair.a.rendezvous.health().servers?.length, 1);
    });
  });
}

describe("servers on one store", () => {
  it("know each other's identities", async () => {
    await using pair = await Pair.start(true);
    const { base } = pair.b;
    const registered = await Promise.all(
      Array.from({ length: 40 }, (_, at) => register(at % 2 === 0 ? pair.a.base : base, echo)),
    );
    assert.equal(new Set(registered.map((each) => formatActrId(idOf(each)))).size, 40);
    const [first] = registered;
    assert.ok(first);
    await using _connected = await Client.connect(base, first);
    assert.equal((await renew(base, idOf(first), first.renewalToken)).status, 200);
  });

  it("are operated from either", async () => {
    await using pair = await Pair.start(true);
    await using far = await Client.join(pair.b.base, echo);
    const listed = async (): Promise<boolean> => {
      const { nodes } = await operate(pair.a, "/nodes");
      return nodes?.some(({ id, server }) => id === formatActrId(far.id) && server === 2) === true;
    };
    await until("the node of the other server is listed", listed, patience);
    await operate(pair.a, "/nodes/kick", { id: formatActrId(far.id) });
    assert.equal((await far.closed).code, 1008);

    const { secret } = await operate(pair.b, "/realms", { id: 7 });
    await register(pair.a.base, echo, { realmId: 7, ...(secret && { secret }) });
    await operate(pair.b, "/realms/7/disable", {});
    const refused = async (): Promise<boolean> => {
      const { realms } = await operate(pair.a, "/realms");
      return realms?.[0]?.enabled === false;
    };
    await until("the other server knows of the disabled realm", refused, patience);
  });

  it("let nobody dial them who does not know their secret", async () => {
    await using pair = await Pair.start(true);
    const url = `${pair.a.base.replace("http", "ws")}/cluster/ws`;
    const forged = `2.1.${Date.now()}.${"0".repeat(32)}.${"0".repeat(64)}`;
    for (const headers of [{}, { "x-roost-server": forged }, { "x-roost-server": "2.1" }]) {
      const signal = AbortSignal.timeout(patience);
      const dialled = nodeSockets().connect(url, { headers, maxMessageBytes: 1024, signal });
      await assert.rejects(
        dialled,
        (error) => ActrError.is(error) && error.details?.["status"] === 401,
      );
    }
  });
});
