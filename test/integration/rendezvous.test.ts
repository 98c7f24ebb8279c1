import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Hono } from "hono";
import { WebSocket } from "ws";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { openStore } from "../../adapters/sql/open.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { systemRandom } from "../../adapters/system_random.ts";
import { ActrError } from "../../src/errors.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../src/protocol/id_messages.ts";
import { formatActrId, parseActrType } from "../../src/protocol/ids.ts";
import {
  decode,
  encode,
  RegisterAuthMode,
  RegisterRequestSchema,
  RegisterResponseSchema,
  ServiceAvailabilityState,
} from "../../src/protocol/schema.ts";
import { signalingUrl } from "../../src/protocol/signaling_query.ts";
import type { RendezvousEnv } from "../../src/rendezvous/ais/ais_routes.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { Client, idOf, only, register, renew, tryRegister } from "./rendezvous_client.ts";
import { Running } from "./rendezvous_server.ts";

const echo = "acme:EchoService:1.0.0";
const caller = "acme:caller:0.1.0";
const wsAddress = "ws://10.0.0.7:9000/ws";

const ping = {
  case: "ping",
  value: {
    availability: ServiceAvailabilityState.UNAVAILABLE,
    powerReserve: 0.25,
    mailboxBacklog: 0,
  },
} as const;

function route(type: string, count = 1) {
  return {
    case: "routeCandidatesRequest",
    value: {
      targetType: parseActrType(type),
      clientFingerprint: "",
      criteria: { candidateCount: count },
    },
  } as const;
}

const offer = {
  case: "sessionDescription",
  value: { type: 0, sdp: "v=0", sdpExchangeId: "x-1" },
} as const;

async function candidates(client: Client, type: string, count?: number) {
  const { value } = only(await client.request(route(type, count)), "routeCandidatesResponse");
  assert.equal(value.result.case, "success");
  const { candidates: ids, wsAddressMap } = value.result.value as Extract<
    typeof value.result,
    { case: "success" }
  >["value"];
  return {
    ids: ids.map((each) => formatActrId(fromActrIdMessage(each))),
    addresses: wsAddressMap.map((each) => [
      formatActrId(fromActrIdMessage(each.candidateId)),
      Object.hasOwn(each, "wsAddress") ? each.wsAddress : null,
    ]),
  };
}

async function refused(connecting: Promise<Client>, code = "permission_denied"): Promise<void> {
  await assert.rejects(connecting, (error) => ActrError.is(error) && error.code === code);
}

describe("a rendezvous", () => {
  it("leads two nodes from registration to each other", async () => {
    await using server = await Running.start(new MemoryStore());
    await using callee = await Client.join(server.base, echo, { wsAddress });
    await using client = await Client.join(server.base, caller);

    const { value: pong } = only(await callee.request(ping), "pong");
    assert.equal(pong.suggestIntervalSecs, 30);
    assert.equal(pong.credentialWarning, undefined);

    const id = formatActrId(callee.id);
    assert.deepEqual(await candidates(client, echo), { ids: [id], addresses: [[id, wsAddress]] });
    const self = formatActrId(client.id);
    const seen = await candidates(callee, caller);
    assert.deepEqual(seen, { ids: [self], addresses: [[self, null]] });
    assert.deepEqual((await candidates(client, caller)).ids, []);
    assert.deepEqual((await candidates(client, "acme:EchoService:1.0.1")).ids, []);

    const { signingKeyId: keyId, signingPubkey } = callee.registered;
    const key = await client.request({ case: "getSigningKeyRequest", value: { keyId } });
    assert.deepEqual(only(key, "getSigningKeyResponse").value.pubkey, signingPubkey);
    const none = await client.request({ case: "getSigningKeyRequest", value: { keyId: 99 } });
    assert.equal(only(none, "error").value.code, 404);
  });

  it("fills every field of a registration", async () => {
    await using server = await Running.start(new MemoryStore(), { turnSecret: "t" });
    const before = Math.floor(Date.now() / 1000);
    const ok = await register(server.base, echo);
    const expiry = Number(ok.credentialExpiresAt?.seconds);
    assert.ok(expiry >= before + 3600 && expiry <= before + 3605);
    assert.equal(Number(ok.turnCredential?.expiresAt), expiry);
    assert.equal(ok.turnCredential?.username, `${expiry}:${formatActrId(idOf(ok))}`);
    assert.equal(ok.signalingHeartbeatIntervalSecs, 30);
    assert.equal(ok.signingPubkey.length, 32);
    assert.equal(ok.renewalToken.length, 32);
    assert.ok(Number(ok.renewalTokenExpiresAt?.seconds) >= before + 86_400);
    const again = await register(server.base, echo, { path: "//register" });
    assert.ok(again.actrId && ok.actrId && again.actrId.serialNumber > ok.actrId.serialNumber);
  });

  it("relays, hiding the sender's credential", async () => {
    await using server = await Running.start(new MemoryStore());
    await using callee = await Client.join(server.base, echo);
    await using client = await Client.join(server.base, caller);
    client.relay(callee.id, offer);
    const { flow, traceparent, replyFor } = await callee.next(
      ({ flow }) => flow.case === "actrRelay",
    );
    assert.equal(flow.case, "actrRelay");
    assert.equal(replyFor, "");
    assert.match(traceparent, /^00-1{32}/);
    assert.equal(flow.value.payload.case, "sessionDescription");
    assert.equal(flow.value.payload.value.sdpExchangeId, "x-1");
    assert.deepEqual(fromActrIdMessage(flow.value.source), client.id);
    assert.equal(flow.value.credential?.keyId, 0);
    assert.equal(flow.value.credential?.claims.length, 0);
    assert.equal(flow.value.credential?.signature.length, 0);
  });

  it("answers a relay to an absent node, from another's name, and of a foreign negotiation", async () => {
    await using server = await Running.start(new MemoryStore());
    await using callee = await Client.join(server.base, echo);
    await using client = await Client.join(server.base, caller);
    const absent = { ...callee.id, serial: 7n };
    const code = async (envelopeId: string) =>
      only(await client.answer(envelopeId), "error").value.code;
    assert.equal(await code(client.relay(absent, offer)), 404);
    assert.equal(await code(client.relay(callee.id, offer, callee.id)), 403);
    const foreign = {
      from: toActrIdMessage(callee.id),
      to: toActrIdMessage(client.id),
      realmId: 1,
    };
    const negotiation = { case: "roleNegotiation", value: foreign } as const;
    assert.equal(await code(client.relay(callee.id, negotiation)), 403);
    const { credential } = client.registered;
    assert.ok(credential);
    client.registered = { ...client.registered, credential: { ...credential, keyId: 9 } };
    assert.equal(await code(client.relay(callee.id, offer)), 401);
    assert.deepEqual(callee.unread, []);
  });

  it("gives both sides of a negotiation their roles", async () => {
    await using server = await Running.start(new MemoryStore());
    await using low = await Client.join(server.base, echo);
    await using high = await Client.join(server.base, caller);
    await using fixed = await Client.join(server.base, caller, {}, { role: "answer" });
    const offers = async (from: Client, to: Client) => {
      const value = { from: toActrIdMessage(from.id), to: toActrIdMessage(to.id), realmId: 1001 };
      from.relay(to.id, { case: "roleNegotiation", value });
      return [await roleOf(from, from, to), await roleOf(to, from, to)];
    };
    assert.deepEqual(await offers(low, high), [false, true]);
    assert.deepEqual(await offers(high, low), [true, false]);
    assert.deepEqual(await offers(low, fixed), [true, false]);
    assert.deepEqual(await offers(fixed, low), [false, true]);
  });

  it("ends an older connection of the same node with 1008", async () => {
    await using server = await Running.start(new MemoryStore());
    await using first = await Client.join(server.base, echo);
    await using second = await Client.connect(server.base, first.registered, { path: "/" });
    assert.deepEqual(await first.closed, { code: 1008, reason: "displaced by new connection" });
    only(await second.request(ping), "pong");
    assert.equal(server.rendezvous.health().nodes, 1);
  });

  it("forgets a node at its unregister request, not at its close", async () => {
    await using server = await Running.start(new MemoryStore());
    await using callee = await Client.join(server.base, echo);
    await using client = await Client.join(server.base, caller);
    const gone = await callee.request({
      case: "unregisterRequest",
      value: { actrId: toActrIdMessage(callee.id), reason: "Graceful shutdown" },
    });
    assert.equal(only(gone, "unregisterResponse").value.result.case, "success");
    assert.deepEqual((await candidates(client, echo)).ids, []);
    assert.equal(only(await callee.request(ping), "error").value.code, 403);
  });

  it("refuses an upgrade without a good credential before it happens", async () => {
    await using server = await Running.start(new MemoryStore());
    const one = await register(server.base, echo);
    const other = await register(server.base, echo);
    const { credential } = one;
    assert.ok(credential);
    const tampered = { ...credential, signature: credential.signature.slice().fill(1) };
    await refused(Client.connect(server.base, one, { id: idOf(other) }));
    await refused(Client.connect(server.base, { ...one, credential: tampered }));
    await refused(Client.connect(server.base, { ...one, credential: { ...credential, keyId: 2 } }));
    const log = server.log.lines.join("\n");
    assert.match(log, /rendezvous\.signaling\.refused/);
    assert.doesNotMatch(log, /claims=|signature=/);
  });

  it("binds every request to its source and credential", async () => {
    await using server = await Running.start(new MemoryStore());
    await using client = await Client.join(server.base, caller);
    const other = await register(server.base, echo);
    const { value } = only(await client.request(ping, idOf(other)), "error");
    assert.equal(value.code, 401);
    const own = client.registered;
    client.registered = other;
    assert.equal(only(await client.request(ping), "error").value.code, 401);
    client.registered = own;
    only(await client.request(ping), "pong");
  });

  it("ends the connection of one who sends junk, with a reason", async () => {
    await using server = await Running.start(new MemoryStore());
    await using client = await Client.join(server.base, caller);
    client.raw(Uint8Array.of(0xff, 0xff, 0xff));
    assert.deepEqual(await client.closed, { code: 1007, reason: "not a SignalingEnvelope" });
  });

  it("answers 429 over the limit, naming the message", async () => {
    const limits = { messageBurst: 3, messagesPerSecond: 0.001 };
    await using server = await Running.start(new MemoryStore(), { limits });
    await using client = await Client.join(server.base, caller);
    for (let count = 0; count < 3; count++) only(await client.request(ping), "pong");
    const over = client.ask(ping);
    const { flow } = await client.next((each) => each.replyFor === over);
    assert.equal(flow.case, "envelopeError");
    assert.equal(flow.value.code, 429);
  });

  it("renews the same identity and rotates tokens near their end", async () => {
    const rotating = { renewalTtlMs: 100_000, renewalRotationMs: 200_000 };
    await using server = await Running.start(new MemoryStore(), rotating);
    const first = await register(server.base, echo);
    const id = idOf(first);
    const [one, two] = await Promise.all([
      renew(server.base, id, first.renewalToken),
      renew(server.base, id, first.renewalToken),
    ]);
    assert.equal(one.status, 200);
    assert.equal(one.result.case, "success");
    assert.equal(two.result.case, "success");
    const renewed = one.result.value;
    assert.deepEqual(renewed.renewalToken, two.result.value.renewalToken);
    assert.notDeepEqual(renewed.renewalToken, first.renewalToken);
    assert.deepEqual(fromActrIdMessage(renewed.actrId), id);
    await using client = await Client.connect(server.base, renewed);
    only(await client.request(ping), "pong");
    const next = await renew(server.base, id, renewed.renewalToken);
    assert.equal(next.status, 200);
    // The two newest are kept: the first has gone.
    assert.equal((await renew(server.base, id, first.renewalToken)).status, 401);
  });

  it("refuses a renewal with a token that is not this node's", async () => {
    await using server = await Running.start(new MemoryStore());
    const one = await register(server.base, echo);
    const other = await register(server.base, echo);
    const status = async (id = idOf(one), token = one.renewalToken) =>
      (await renew(server.base, id, token)).status;
    assert.equal(await status(), 200);
    assert.equal(await status(idOf(other)), 401);
    assert.equal(
      await status({ ...idOf(one), type: idOf(await register(server.base, caller)).type }),
      401,
    );
    assert.equal(await status(idOf(one), new Uint8Array(31)), 400);
    const junk = await fetch(`${server.base}/ais/renew`, { method: "POST", body: "\xff\xff" });
    assert.equal(junk.status, 400);
  });

  it("asks a realm's secret and knows its realms", async () => {
    const realms = [{ id: 1, secret: "rs_test123" }, { id: 2 }];
    await using server = await Running.start(new MemoryStore(), { realms });
    const answer = async (realmId: number, secret?: string) => {
      const entry = secret === undefined ? { realmId } : { realmId, secret };
      const { case: outcome, value } = await tryRegister(server.base, echo, entry);
      return outcome === "error" ? `${value.code} ${value.message}` : outcome;
    };
    assert.equal(await answer(1), "403 Realm secret required");
    assert.equal(await answer(1, " "), "403 Realm secret required");
    assert.equal(await answer(1, "rs_test124"), "403 Invalid realm secret");
    assert.equal(await answer(1, " rs_test123 "), "success");
    assert.equal(await answer(2), "success");
    assert.equal(await answer(3), "403 Realm validation failed: Realm 3 not found");
  });

  it("refuses packages, mixed and malformed registrations", async () => {
    await using server = await Running.start(new MemoryStore());
    const code = async (type: string, fields: object = {}) => {
      const { value } = await tryRegister(server.base, type, fields);
      return (value as { code?: number }).code;
    };
    assert.equal(await code(echo, { authMode: 1 }), 400);
    assert.equal(await code(echo, { authMode: 0 }), 400);
    const packaged = { authMode: 1 as const, target: "wasm32", manifestRaw: Uint8Array.of(1) };
    assert.equal(await code(echo, packaged), 403);
    assert.equal(await code(echo, { manifestRaw: Uint8Array.of(1) }), 400);
    assert.equal(await code("acme:EchoService:"), 400);
    const whole = encode(RegisterRequestSchema, {
      actrType: parseActrType(echo),
      realm: { realmId: 1 },
      authMode: RegisterAuthMode.LINKED,
    });
    // A service_spec (field 3) of no bytes: its required name is missing.
    const nameless = await fetch(`${server.base}/ais/register`, {
      method: "POST",
      body: Uint8Array.of(...whole, 0x1a, 0),
    });
    const { result } = decode(RegisterResponseSchema, new Uint8Array(await nameless.arrayBuffer()));
    assert.equal(result.case, "error");
    assert.equal(result.value.code, 400);
    assert.equal(await code("1acme:EchoService:1.0.0"), 400);
    const junk = await fetch(`${server.base}/register`, { method: "POST", body: "\xff\xff" });
    assert.equal(junk.status, 200);
    const long = await fetch(`${server.base}/ais/register`, {
      method: "POST",
      body: new Uint8Array(2 * 1024 * 1024 + 1),
    });
    assert.equal(long.status, 413);
  });

  it("tells subscribers of nodes that are up and come up", async () => {
    await using server = await Running.start(new MemoryStore());
    await using present = await Client.join(server.base, echo);
    await using client = await Client.join(server.base, caller);
    const subscription = { targetType: parseActrType(echo) };
    const done = await client.request({ case: "subscribeActrUpRequest", value: subscription });
    assert.equal(only(done, "subscribeActrUpResponse").value.result.case, "success");
    const up = async () => {
      const { flow } = await client.next(
        ({ flow }) => flow.case === "serverToActr" && flow.value.payload.case === "actrUpEvent",
      );
      assert.equal(flow.case, "serverToActr");
      return fromActrIdMessage(only(flow.value.payload, "actrUpEvent").value.actorId);
    };
    assert.deepEqual(await up(), present.id);
    await using later = await Client.join(server.base, echo);
    assert.deepEqual(await up(), later.id);
    await client.request({ case: "unsubscribeActrUpRequest", value: subscription });
    await using last = await Client.join(server.base, echo);
    await last.request(ping);
    await client.request(ping);
    assert.deepEqual(client.unread, []);
  });

  it("honours access rules in discovery and relays, and lets the reached side answer", async () => {
    await using server = await Running.start(new MemoryStore());
    const rule = (type: string) => ({ permission: 1 as const, fromType: parseActrType(type) });
    await using callee = await Client.join(server.base, echo, { acl: { rules: [rule(caller)] } });
    await using client = await Client.join(server.base, caller, { acl: { rules: [] } });
    await using stranger = await Client.join(server.base, "acme:stranger:1.0.0");
    assert.equal((await candidates(client, echo)).ids.length, 1);
    assert.equal((await candidates(stranger, echo)).ids.length, 0);
    const denied = only(await stranger.answer(stranger.relay(callee.id, offer)), "error");
    assert.equal(denied.value.code, 403);
    const early = only(await callee.answer(callee.relay(client.id, offer)), "error");
    assert.equal(early.value.code, 403);
    client.relay(callee.id, offer);
    await callee.next(({ flow }) => flow.case === "actrRelay");
    callee.relay(client.id, offer);
    await client.next(({ flow }) => flow.case === "actrRelay");
  });

  it("lists types and descriptions", async () => {
    await using server = await Running.start(new MemoryStore());
    const serviceSpec = { name: "Echo", fingerprint: "fp", tags: ["a"], description: "says it" };
    await using callee = await Client.join(server.base, echo, { serviceSpec });
    await using client = await Client.join(server.base, caller);
    await callee.request(ping);
    const listed = await client.request({ case: "discoveryRequest", value: {} });
    const { result } = only(listed, "discoveryResponse").value;
    assert.equal(result.case, "success");
    const [entry, ...rest] = result.value.entries;
    assert.equal(rest.length, 0);
    assert.equal(entry?.name, "acme:EchoService");
    assert.equal(entry?.serviceFingerprint, "fp");
    assert.equal(entry?.description, "says it");
    const spec = async (name: string) =>
      only(
        await client.request({ case: "getServiceSpecRequest", value: { name } }),
        "getServiceSpecResponse",
      ).value.result;
    const found = await spec("Echo");
    assert.equal(found.case, "success");
    assert.equal(found.value.fingerprint, "fp");
    const missing = await spec("Nothing");
    assert.equal(missing.case, "error");
    assert.equal(missing.value.code, 404);
  });

  it("lets equal candidates take turns", async () => {
    await using server = await Running.start(new MemoryStore());
    await using one = await Client.join(server.base, echo);
    await using two = await Client.join(server.base, echo);
    await using client = await Client.join(server.base, caller);
    const first: string[] = [];
    for (let count = 0; count < 4; count++) first.push(...(await candidates(client, echo)).ids);
    const [a, b] = [formatActrId(one.id), formatActrId(two.id)];
    assert.deepEqual(first, [a, b, a, b]);
  });

  it("answers health and key questions, and nothing unknown", async () => {
    await using server = await Running.start(new MemoryStore());
    const json = async (path: string) => await (await fetch(server.base + path)).json();
    assert.equal((await json("/health")).status, "healthy");
    assert.equal((await json("/ais/health")).status, "healthy");
    assert.equal((await json("/signaling/health")).connections, 0);
    assert.deepEqual(await json("/ais/current-key"), { status: "success", key_id: 1 });
    const { pubkey } = await json("/ais/signing-pubkey");
    const { signingPubkey } = await register(server.base, echo);
    assert.equal(pubkey, Buffer.from(signingPubkey).toString("base64"));
    assert.equal((await fetch(`${server.base}/`)).status, 404);
    assert.equal((await fetch(`${server.base}/signaling/ws`)).status, 426);
    const crossOrigin = await fetch(`${server.base}/ais/health`, {
      headers: { origin: "http://x" },
    });
    assert.equal(crossOrigin.headers.get("access-control-allow-origin"), "*");
  });

  it("limits connections per address", async () => {
    const limits = { maxConnectionsPerAddress: 1 };
    await using server = await Running.start(new MemoryStore(), { limits });
    const late = await register(server.base, echo);
    {
      await using client = await Client.join(server.base, caller);
      await refused(Client.connect(server.base, late), "unavailable");
      only(await client.request(ping), "pong");
    }
    while (server.rendezvous.health().connections > 0) await new Promise((r) => setTimeout(r, 1));
    await using client = await Client.connect(server.base, late);
    only(await client.request(ping), "pong");
  });

  it("ignores text", async () => {
    await using server = await Running.start(new MemoryStore());
    const registered = await register(server.base, echo);
    const { credential } = registered;
    assert.ok(credential);
    const url = signalingUrl(`${server.base}/signaling/ws`, { id: idOf(registered), credential });
    const socket = new WebSocket(url.replace("http", "ws"));
    await once(socket, "open");
    socket.send("hello");
    socket.send("");
    await using client = await Client.join(server.base, caller);
    assert.equal((await candidates(client, echo)).ids.length, 1);
    socket.terminate();
  });

  it("can be mounted in another application, which keeps its root", async () => {
    await using server = await Running.start(new MemoryStore());
    const app = new Hono<RendezvousEnv>();
    app.route("/", server.rendezvous.app);
    app.get("/", (c) => c.text("root"));
    const ask = (path: string, method = "GET") =>
      app.fetch(new Request(`http://node${path}`, { method }), { remoteAddress: "10.0.0.1" });
    assert.equal(await (await ask("/")).text(), "root");
    for (const path of ["/register", "//register", "/ais/register", "/ais//register"]) {
      assert.equal((await ask(path, "POST")).status, 200, path);
    }
    const exchanges = ["renew", "reissue"];
    for (const path of exchanges.flatMap((name) =>
      ["/", "//", "/ais/", "/ais//"].map((base) => base + name),
    )) {
      assert.equal((await ask(path, "POST")).status, 400, path);
    }
  });

  it("orphans nobody by a restart", async () => {
    await using folder = await temporaryFolder();
    const open = async () => {
      const options = { clock: systemClock(), random: systemRandom() };
      return await openStore(`file:${folder.path}/r.db`, options, AbortSignal.timeout(5_000));
    };
    const first = await open();
    const before = await Running.start(first);
    const old = await Client.join(before.base, echo, { wsAddress });
    await before[Symbol.asyncDispose]();
    await old.closed;
    await first.close();
    await using store = await open();
    await using server = await Running.start(store);
    await using callee = await Client.connect(server.base, old.registered);
    const renewed = await renew(server.base, callee.id, old.registered.renewalToken);
    assert.equal(renewed.status, 200);
    assert.equal(renewed.result.case, "success");
    assert.deepEqual(fromActrIdMessage(renewed.result.value.actrId), callee.id);
    await using client = await Client.join(server.base, caller);
    assert.ok(client.id.serial > callee.id.serial);
    const id = formatActrId(callee.id);
    assert.deepEqual(await candidates(client, echo), { ids: [id], addresses: [[id, wsAddress]] });
  });
});

async function roleOf(receiver: Client, from: Client, to: Client): Promise<boolean> {
  const { flow } = await receiver.next(
    ({ flow }) => flow.case === "actrRelay" && flow.value.payload.case === "roleAssignment",
  );
  assert.equal(flow.case, "actrRelay");
  assert.equal(flow.value.payload.case, "roleAssignment");
  assert.deepEqual(fromActrIdMessage(flow.value.source), from.id);
  assert.deepEqual(fromActrIdMessage(flow.value.target), to.id);
  assert.equal(flow.value.credential?.keyId, 0);
  assert.equal(flow.value.payload.value.remoteFixed, false);
  return flow.value.payload.value.isOfferer;
}
