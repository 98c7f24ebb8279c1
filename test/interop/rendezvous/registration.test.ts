import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { post } from "../peer/http.ts";
import { idText, readClaims, typeOf, writeType } from "../peer/identity.ts";
import { Fields, Writer } from "../peer/protobuf.ts";
import { Refused, register, registerRequest, renew } from "../peer/registration.ts";
import { Connection } from "./connection.ts";
import { answers, idsOf, requests } from "./envelope.ts";
import { Server } from "./server.ts";

const type = "acme:echo:1.0.0";
const realm = 1001;
const guarded = { id: 7, secret: "rs_a-secret" };
const protobuf = [
  ["content-type", "application/x-protobuf"],
  ["accept", "application/x-protobuf"],
] as const;
const notFound = 404;
const tooLarge = 413;

function refuses(code: number, message?: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof Refused && error.code === code && (message?.test(error.message) ?? true);
}

describe("registering as the real client does", () => {
  let server: Server;
  before(async () => {
    server = await Server.start({ options: { realms: [{ id: realm }, guarded] } });
  });
  after(async () => await server.stop());

  it("takes the smallest body, 37 bytes, and fills in all that a client will need", async () => {
    const body = registerRequest({ type: "acme:echo-service2:1.0.0", realm });
    assert.equal(body.length, 37);
    const answer = await post(`${server.ais}/register`, protobuf, body);
    assert.equal(answer.status, 200);
    const response = new Fields(answer.body);
    assert.deepEqual(response.numbers, [1]);
    const ok = response.message(1);
    assert.deepEqual(ok?.numbers, [1, 2, 3, 4, 5, 6, 7, 12, 13]);
    assert.deepEqual(ok?.message(3)?.numbers, [1, 2, 3]);
    assert.deepEqual([ok?.bytes(6)?.length, ok?.bytes(12)?.length], [32, 32]);
    const [expires, renewable] = [4, 13].map((field) => ok?.message(field)?.number(1) ?? 0);
    assert.ok(expires !== undefined && renewable !== undefined && renewable > expires);
  });

  it("names the node in its claims, and logs it in to TURN until they end", async () => {
    const { id, credential, turn, heartbeatSecs } = await register(server.ais, { type, realm });
    const { actorId, expiresAt } = readClaims(credential);
    assert.equal(actorId, idText(id));
    assert.match(actorId, /^[1-9a-f][0-9a-f]*@1001\/acme:echo:1\.0\.0$/);
    assert.equal(turn.username, `${expiresAt}:${actorId}`);
    assert.equal(heartbeatSecs, 30);
  });

  it("answers below a base with and without its slash, with and without /ais", async () => {
    const bases = ["/ais", "/ais/", "", "/"].map((path) => server.ais.replace("/ais", path));
    for (const base of bases) await register(base, { type, realm });
    const body = registerRequest({ type, realm });
    for (const path of ["/ais//register", "//register"]) {
      const url = server.ais.replace("/ais", path);
      assert.equal((await post(url, protobuf, body)).status, 200, path);
    }
  });

  it("has no service where a query in the base address leads", async () => {
    const base = server.ais.replace("/ais", "/aisle");
    await assert.rejects(register(base, { type, realm }), refuses(notFound));
  });

  it("makes a new identity of each registration, also of the same one", async () => {
    const [one, other] = [
      await register(server.ais, { type, realm }),
      await register(server.ais, { type, realm }),
    ];
    assert.notEqual(one.id.serial, other.id.serial);
    await using first = await Connection.open(server.signaling, one);
    await using second = await Connection.open(server.signaling, other);
    const asker = await register(server.ais, { type: "acme:asker:1.0.0", realm });
    await using third = await Connection.open(server.signaling, asker);
    const request = new Writer()
      .message(1, writeType(typeOf(type)))
      .message(2, new Writer().varint(1, 9))
      .text(4, "");
    const { told } = await third.request(requests.candidates, request);
    const found = idsOf(told.message(answers.candidates)?.message(1), 1).map(idText);
    assert.deepEqual(found.sort(), [first, second].map(({ id }) => idText(id)).sort());
  });

  it("asks for the realm's secret, and knows no other realms", async () => {
    const { id, secret } = guarded;
    await register(server.ais, { type, realm: id, realmSecret: secret });
    const tried = (realmSecret?: string): Promise<unknown> =>
      register(server.ais, { type, realm: id, ...(realmSecret !== undefined && { realmSecret }) });
    await assert.rejects(tried(), refuses(403, /^403 Realm secret required$/));
    await assert.rejects(tried("rs_b-secret"), refuses(403, /^403 Invalid realm secret$/));
    const unknown = register(server.ais, { type, realm: 8 });
    await assert.rejects(unknown, refuses(403, /^403 Realm validation failed: Realm 8 not found$/));
  });

  it("refuses a type without version, as a manifest without one names it", async () => {
    await assert.rejects(register(server.ais, { type: "acme:echo:", realm }), refuses(400));
  });

  it("refuses packages without proof, and what is no request, inside an answer of 200", async () => {
    const unsigned = new Writer()
      .message(1, writeType(typeOf(type)))
      .message(2, new Writer().varint(1, realm));
    for (const [body, code] of [
      [unsigned.done(), [400, 403]],
      [Uint8Array.of(0x0a, 0xff), [400]],
      [new Uint8Array(0), [400, 403]],
    ] as const) {
      const answer = await post(`${server.ais}/register`, protobuf, body);
      assert.equal(answer.status, 200);
      const error = new Fields(answer.body).message(2);
      assert.ok(([...code] as number[]).includes(error?.number(1) ?? 0), `${error?.number(1)}`);
    }
  });

  it("takes rules, an address and fields of other versions", async () => {
    const rule = new Writer()
      .varint(1, 1)
      .message(2, writeType(typeOf(type)))
      .varint(4, realm);
    const body = new Writer()
      .message(1, writeType(typeOf(type)))
      .message(2, new Writer().varint(1, realm))
      .message(4, new Writer().message(1, rule))
      .text(6, "ws://127.0.0.1:9000")
      .text(12, "what 0.3 sent here")
      .varint(14, 2)
      .text(99, "what a later version may send");
    const { body: answer } = await post(`${server.ais}/register`, protobuf, body.done());
    assert.deepEqual(new Fields(answer).numbers, [1]);
  });

  it("answers a body beyond the limit with 413, and still serves", async () => {
    const huge = await post(
      `${server.ais}/register`,
      protobuf,
      new Uint8Array(2 * 1024 * 1024 + 1),
    );
    assert.equal(huge.status, tooLarge);
    await register(server.ais, { type, realm });
  });

  it("mirrors the code of a refused renewal in the status", async () => {
    const { id, renewalToken } = await register(server.ais, { type, realm });
    const token = renewalToken ?? new Uint8Array(0);
    assert.equal(idText((await renew(server.ais, id, token)).id), idText(id));
    const foreign = token.map((byte) => byte ^ 1);
    await assert.rejects(renew(server.ais, id, foreign), refuses(401));
    await assert.rejects(renew(server.ais, id, token.subarray(1)), refuses(400));
    await assert.rejects(renew(server.ais, { ...id, realm: 8 }, token), refuses(403));
    await assert.rejects(renew(server.ais, { ...id, serial: 1n }, token), refuses(401));
    const { status } = await post(`${server.ais}/renew`, protobuf, Uint8Array.of(0x0a, 0xff));
    assert.equal(status, 400);
  });
});
