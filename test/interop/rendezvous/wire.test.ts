import assert from "node:assert/strict";
import { createPrivateKey, sign } from "node:crypto";
import { describe, it } from "node:test";
import type { Random } from "../../../src/ports/random.ts";
import protocol from "../../vectors/protocol.json" with { type: "json" };
import { post } from "../peer/http.ts";
import { type ActrId, idText, readCredential, typeOf } from "../peer/identity.ts";
import { Fields, Writer } from "../peer/protobuf.ts";
import { registerRequest } from "../peer/registration.ts";
import { Connection } from "./connection.ts";
import { relays, type Sender } from "./envelope.ts";
import { Server } from "./server.ts";

const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");
const hex = (of: Uint8Array): string => Buffer.from(of).toString("hex");
const envelope = (at: number): string => protocol.envelopes[at]?.hex ?? "";
const protobuf = [
  ["content-type", "application/x-protobuf"],
  ["accept", "application/x-protobuf"],
] as const;

const type = "acme:echo-service:1.0.0";
/** Serial numbers count milliseconds from here: 0x1a2b3c is the sixty-first that worker 11 gives out in the 210th. */
const serialsBeginMs = 1_672_531_200_000;
const earlier = 60;
/** The two nodes of the vectors. */
const [firstId, secondId] = [
  { realm: 101, serial: 0x1a2b3cn, type: typeOf(type) },
  { realm: 33_554_432, serial: 0x3fffffffffffffn, type: typeOf(type) },
];
const first: Sender = {
  id: firstId,
  credential: readCredential(new Fields(bytes(protocol.credential.aid_credential_hex))),
};
const second: Sender = { id: secondId, credential: issued(secondId) };

/** Randomness that repeats one byte, and names envelopes as the vectors do. */
class Scripted implements Random {
  fill = 0x2a;
  envelopeId = "";
  next(): number {
    return 0;
  }
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(length).fill(this.fill);
  }
  uuid(): string {
    return this.envelopeId;
  }
}

/** A credential of the vectors' key. */
function issued(id: ActrId): Sender["credential"] {
  const claims = new Writer()
    .varint(1, id.realm)
    .text(2, idText(id))
    .varint(3, protocol.credential.expires_at)
    .done();
  // PKCS #8 of an Ed25519 key is these bytes and the seed.
  const seed = `302e020100300506032b657004220420${protocol.credential.ed25519_seed_hex}`;
  const key = createPrivateKey({ key: Buffer.from(seed, "hex"), format: "der", type: "pkcs8" });
  return { keyId: protocol.credential.key_id, claims, signature: sign(null, claims, key) };
}

/** A rendezvous with the key of the vectors, at the time of the pong among them. */
async function start(): Promise<{ server: Server; random: Scripted }> {
  const random = new Scripted();
  const server = await Server.start({
    random,
    options: {
      worker: 11,
      turnSecret: protocol.turn[0]?.turn_secret ?? "",
      keyLifeMs: Number.MAX_SAFE_INTEGER,
      // A token of the vectors' serial number ends when theirs does.
      renewalTtlMs: 1_900_082_800_000 - serialsBeginMs,
      withoutRules: "allow",
      limits: { messageBurst: 50, messagesPerSecond: 10 },
    },
  });
  server.clock.stoppedAt = 1_700_000_000_000;
  return { server, random };
}

/** Connects the first node by the address that the vectors give. */
function connect({ signaling }: Server): Promise<Connection> {
  return Connection.at(`${signaling}?${protocol.credential.signaling_query}`, first);
}

// The server's randomness and clock are the vectors', so that whole answers are, too (`spec/protocol.md` §16).
describe("a rendezvous on the wire, byte for byte", () => {
  it("answers a ping with a pong, and with 401 once the credential has expired", async () => {
    const { server, random } = await start();
    await using _server = server;
    await using node = await connect(server);
    random.envelopeId = "srv-1";
    node.socket.send(bytes(envelope(0)));
    assert.equal(hex((await node.answer("env-1")).bytes), envelope(3));
    server.clock.stoppedAt = protocol.credential.expires_at * 1_000;
    random.envelopeId = "srv-2";
    node.socket.send(bytes(envelope(0)));
    assert.equal(hex((await node.answer("env-1")).bytes), envelope(4));
  });

  it("passes on a session description and assigns roles, with nobody's credential", async () => {
    const { server, random } = await start();
    await using _server = server;
    await using from = await connect(server);
    await using to = await Connection.open(server.signaling, second);
    random.envelopeId = "srv-4";
    const negotiation = new Writer()
      .bytes(1, bytes(protocol.ids[0]?.actr_id_hex ?? ""))
      .bytes(2, bytes(protocol.ids[1]?.actr_id_hex ?? ""))
      .varint(3, 101);
    from.relay(second.id, relays.negotiation, negotiation);
    assert.equal(hex((await to.relayed()).bytes), envelope(6));
    await from.relayed();
    random.envelopeId = "srv-5";
    const answer = new Writer().varint(1, 1).text(2, "answer-sdp").text(3, "exchange-1");
    from.relay(second.id, relays.description, answer);
    assert.equal(hex((await to.relayed()).bytes), envelope(7));
  });

  it("takes envelopes of version 1 with their timestamp, and such without a flow", async () => {
    const { server } = await start();
    await using _server = server;
    await using node = await connect(server);
    node.socket.send(bytes(envelope(1)));
    node.socket.send(bytes(envelope(2)));
    await node.settle();
    assert.equal(node.inbox.size, 0);
  });

  it("answers what is too much with the words of the vectors, and names the message", async () => {
    const { server, random } = await start();
    await using _server = server;
    await using node = await connect(server);
    random.envelopeId = "srv-3";
    for (let sent = 0; sent < 200; sent += 1) node.socket.send(bytes(envelope(0)));
    const refused = await node.inbox.take("429", ({ error }) => error !== undefined);
    const known = bytes(envelope(5));
    const named = new Writer().text(3, "env-1").done();
    const head = 2 + 2 + "srv-3".length;
    const expected = Buffer.concat([known.subarray(0, head), named, known.subarray(head)]);
    assert.equal(hex(refused.bytes), hex(expected));
  });

  it("registers and renews", async () => {
    const { server, random } = await start();
    await using _server = server;
    random.fill = 0x11;
    server.clock.stoppedAt = serialsBeginMs + 209;
    const body = registerRequest({ type, realm: 101 });
    assert.equal(hex(body), protocol.register_request.hex);
    for (let made = 0; made < earlier; made += 1) {
      await post(`${server.ais}/register`, protobuf, body);
    }
    const registered = await post(`${server.ais}/register`, protobuf, body);
    const id = new Fields(registered.body).message(1)?.bytes(1);
    assert.equal(hex(id ?? new Uint8Array(0)), protocol.ids[0]?.actr_id_hex);
    server.clock.stoppedAt = 1_899_996_400_000;
    const renewed = await post(`${server.ais}/renew`, protobuf, bytes(protocol.renew_request.hex));
    assert.equal(renewed.status, 200);
    assert.equal(hex(renewed.body), protocol.register_response_ok.hex);
  });

  it("refuses a registration without the realm's secret", async () => {
    const realms = [{ id: 101, secret: "rs_test123" }];
    await using server = await Server.start({ options: { realms } });
    const body = bytes(protocol.register_request.hex);
    const { status, body: answer } = await post(`${server.ais}/register`, protobuf, body);
    assert.equal(status, 200);
    assert.equal(hex(answer), protocol.register_response_error.hex);
  });
});
