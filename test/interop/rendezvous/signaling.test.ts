import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { freePort } from "../../fixtures/ports.ts";
import { idText, typeOf, writeId, writeType } from "../peer/identity.ts";
import { Fields, Writer } from "../peer/protobuf.ts";
import { register } from "../peer/registration.ts";
import { signalingUrl } from "../peer/signaling.ts";
import { opcodes } from "../peer/websocket.ts";
import { UpgradeRefused } from "../peer/websocket_handshake.ts";
import { Connection, idlePing } from "./connection.ts";
import { answers, flows, idsOf, requests, writeRequest, writeTold } from "./envelope.ts";
import { candidatesOf, discover, join, realm } from "./joining.ts";
import { Server } from "./server.ts";

const hex = (of: Uint8Array): string => Buffer.from(of).toString("hex");
const unavailable = 503;
const maxMessageBytes = 4_096;

/** What `connection` is told in answer to a request, written as a client that knows the fields would expect it. */
function expected(
  connection: Connection,
  envelopeId: string,
  replyFor: string,
  field: number,
  body: Writer,
): string {
  const envelope = new Writer().varint(1, 2).text(2, envelopeId).text(3, replyFor);
  return hex(envelope.message(flows.toActr, writeTold(connection.id, field, body)).done());
}

describe("signaling as the real client does", () => {
  let server: Server;
  let asker: Connection;
  let types = 0;
  /** A type that no other test has nodes of. */
  const newType = (): string => `acme:node-${++types}:1.0.0`;

  before(async () => {
    server = await Server.start({ options: { limits: { maxMessageBytes } } });
    asker = (await join(server, "acme:asker:1.0.0")).connection;
  });
  after(async () => {
    await asker[Symbol.asyncDispose]();
    await server.stop();
  });

  it("is in sight from the upgrade on, before it has said a word", async () => {
    const type = newType();
    const { connection } = await join(server, type);
    await using _connection = connection;
    assert.deepEqual((await discover(asker, type)).map(idText), [idText(connection.id)]);
  });

  it("connects at the root and with a slash at the end, too, and keeps the query that is there", async () => {
    const registered = await register(server.ais, { type: newType(), realm });
    await using atRoot = await Connection.open(
      server.signaling.replace("signaling/ws", ""),
      registered,
    );
    await atRoot.settle();
    await using withSlash = await Connection.open(`${server.signaling}/`, registered);
    await withSlash.settle();
    const url = signalingUrl(server.signaling, registered, false);
    await using kept = await Connection.at(url.replace("?", "?tenant=a&"), registered);
    await kept.settle();
  });

  it("is refused the upgrade with 401 and no body, whatever is wrong with its query", async () => {
    const registered = await register(server.ais, { type: newType(), realm });
    const other = await register(server.ais, { type: newType(), realm });
    const good = new URL(signalingUrl(server.signaling, registered, false));
    const wrong: Record<string, string | undefined> = {
      actor_id: idText(other.id),
      key_id: "99",
      claims: Buffer.from(other.credential.claims).toString("base64"),
      signature: Buffer.alloc(64).toString("base64"),
    };
    for (const [name, value] of [
      ...Object.entries(wrong),
      ...Object.keys(wrong).map((key) => [key] as const),
    ]) {
      const url = new URL(good);
      if (value === undefined) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
      const refused = (error: unknown): boolean =>
        error instanceof UpgradeRefused &&
        error.status === 401 &&
        error.headers.get("content-length") === "0";
      await assert.rejects(Connection.at(url.href, registered), refused, `${name} ${value}`);
    }
    await using _accepted = await Connection.at(good.href, registered);
  });

  it("is answered a ping, and found although it says that it is unavailable", async () => {
    const type = newType();
    const { connection } = await join(server, type);
    await using _connection = connection;
    const id = connection.ask(requests.ping, idlePing());
    const pong = await connection.answer(id);
    const seq = pong.told.message(answers.pong)?.number(1) ?? 0;
    assert.ok(Math.abs(seq - Date.now() / 1_000) < 60, `${seq}`);
    const body = new Writer().varint(1, seq).varint(2, 30);
    assert.equal(hex(pong.bytes), expected(connection, pong.id, id, answers.pong, body));
    assert.deepEqual((await discover(asker, type)).map(idText), [idText(connection.id)]);
  });

  it("has its WebSocket pings answered with what they carried", async () => {
    const { connection } = await join(server, newType());
    await using _connection = connection;
    for (const payload of ["", "actr-signaling-probe-1-1700000000"]) {
      connection.socket.frame(opcodes.ping, Buffer.from(payload));
      const pong = await connection.socket.pongs.take("a pong");
      assert.equal(Buffer.from(pong).toString(), payload);
    }
  });

  it("finds nodes with their addresses, byte for byte", async () => {
    const type = newType();
    const wsAddress = "ws://127.0.0.1:9000";
    const { connection: here } = await join(server, type, { wsAddress });
    await using _here = here;
    const id = asker.ask(requests.candidates, candidatesOf(type));
    const answer = await asker.answer(id);
    const entry = new Writer().message(1, writeId(here.id)).text(2, wsAddress);
    const ok = new Writer().message(1, writeId(here.id)).message(2, entry);
    const body = new Writer().message(1, ok);
    assert.equal(hex(answer.bytes), expected(asker, answer.id, id, answers.candidates, body));
  });

  it("finds nobody, which is a success, and never itself", async () => {
    const type = newType();
    const { connection } = await join(server, type);
    await using _connection = connection;
    const id = connection.ask(requests.candidates, candidatesOf(type));
    const answer = await connection.answer(id);
    const body = new Writer().message(1, new Writer());
    assert.equal(hex(answer.bytes), expected(connection, answer.id, id, answers.candidates, body));
  });

  it("meets several nodes by asking several times for one", async () => {
    const type = newType();
    const nodes = await Promise.all(
      [1, 2, 3].map(async () => (await join(server, type)).connection),
    );
    const found = new Set<string>();
    for (const _ of nodes) for (const id of await discover(asker, type)) found.add(idText(id));
    assert.deepEqual([...found].sort(), nodes.map(({ id }) => idText(id)).sort());
    for (const node of nodes) await node[Symbol.asyncDispose]();
  });

  it("asks for the keys of others", async () => {
    const { signingKey } = (await join(server, newType())).registered;
    const { told } = await asker.request(
      requests.signingKey,
      new Writer().varint(1, signingKey.id),
    );
    const key = told.message(answers.signingKey);
    assert.equal(key?.number(1), signingKey.id);
    assert.deepEqual(key?.bytes(2), signingKey.bytes);
    const unknown = await asker.request(requests.signingKey, new Writer().varint(1, 99));
    assert.equal(unknown.error?.code, 404);
  });

  it("hears of nodes that are up and come up, until it no longer wants to", async () => {
    const type = newType();
    const { connection: first } = await join(server, type);
    await using _first = first;
    const { connection: subscriber } = await join(server, newType());
    await using _subscriber = subscriber;
    const wanted = new Writer().message(1, writeType(typeOf(type)));
    const { told } = await subscriber.request(requests.subscribe, wanted);
    assert.deepEqual(told.message(answers.subscribed)?.numbers, [1]);
    const up = async (): Promise<string> => {
      const event = await subscriber.inbox.take("an event", (each) =>
        each.told.has(answers.actrUp),
      );
      assert.equal(event.replyFor, undefined);
      return idsOf(event.told.message(answers.actrUp), 1).map(idText).join();
    };
    assert.equal(await up(), idText(first.id));
    const { connection: second } = await join(server, type);
    await using _second = second;
    assert.equal(await up(), idText(second.id));
    await subscriber.request(requests.unsubscribe, wanted);
    const { connection: third } = await join(server, type);
    await using _third = third;
    await subscriber.settle();
    assert.equal(subscriber.inbox.size, 0);
  });

  it("lists types, and says of an unknown description that there is none", async () => {
    const { connection } = await join(server, "listed:node:1.0.0");
    await using _connection = connection;
    const { told } = await asker.request(requests.discovery, new Writer().text(1, "listed"));
    const entries = told.message(answers.discovery)?.message(1)?.all(1) ?? [];
    assert.deepEqual(
      entries.map((entry) => new Fields(entry)).map((entry) => entry.text(2)),
      ["listed:node"],
    );
    const unknown = await asker.request(requests.serviceSpec, new Writer().text(1, "Nothing"));
    assert.equal(unknown.told.message(answers.serviceSpec)?.message(2)?.number(1), 404);
  });

  it("is told 410 when it would register here", async () => {
    const registration = new Writer().message(
      1,
      new Writer().message(1, writeType(typeOf(newType()))),
    );
    const refused = await asker.answer(asker.send(10, registration));
    assert.equal(refused.told.message(answers.registered)?.message(2)?.number(1), 410);
    assert.equal(idsOf(refused.told, 1).map(idText).join(), "0@0/temp:temp:1.0.0");
  });

  it("leaves by its request, not by its close", async () => {
    const type = newType();
    const { connection } = await join(server, type);
    await using _connection = connection;
    const request = new Writer().message(1, writeId(connection.id)).text(2, "Graceful shutdown");
    const id = connection.ask(requests.unregister, request);
    const answer = await connection.answer(id);
    const body = new Writer().message(1, new Writer());
    assert.equal(
      hex(answer.bytes),
      expected(connection, answer.id, id, answers.unregistered, body),
    );
    assert.deepEqual(await discover(asker, type), []);
    connection.socket.frame(opcodes.ping);
    await connection.socket.pongs.take("a pong of the socket that stays open");
  });

  it("is gone when its socket is, without a close frame", async () => {
    const type = newType();
    const { connection } = await join(server, type);
    await connection[Symbol.asyncDispose]();
    for (let found = 1; found > 0; ) found = (await discover(asker, type)).length;
  });

  it("is displaced by its own next connection, with 1008", async () => {
    const type = newType();
    const { registered, connection: older } = await join(server, type);
    await using newer = await Connection.open(server.signaling, registered);
    assert.deepEqual(await older.socket.closed, {
      code: 1008,
      reason: "displaced by new connection",
    });
    assert.deepEqual((await discover(asker, type)).map(idText), [idText(registered.id)]);
    await newer.settle();
  });

  it("may send text, envelopes of any version, without flow and of flows to come", async () => {
    const { connection } = await join(server, newType());
    await using _connection = connection;
    connection.socket.frame(opcodes.text, Buffer.from("hello"));
    connection.socket.send(new Writer().varint(1, 2).text(2, "env-x").done());
    connection.socket.send(
      new Writer().varint(1, 2).text(2, "env-y").message(15, new Writer()).done(),
    );
    for (const version of [0, 1, 3]) {
      const request = writeRequest(connection.sender, requests.ping, idlePing());
      const envelope = new Writer().varint(1, version).text(2, `v${version}`);
      connection.socket.send(envelope.message(flows.toServer, request).done());
      assert.ok((await connection.answer(`v${version}`)).told.has(answers.pong));
    }
    assert.ok((await connection.request(99)).error);
    const complaint = new Writer().varint(1, 500).text(2, "what a node may say of the server");
    connection.send(flows.toServer, writeRequest(connection.sender, 30, complaint));
    await connection.settle();
    assert.equal(connection.inbox.size, 0);
  });

  for (const [what, message, code] of [
    ["junk", Uint8Array.of(0xff, 0xff, 0xff), 1007],
    ["a message that is too long", new Uint8Array(maxMessageBytes + 1), 1009],
  ] as const) {
    it(`ends its own connection, and nobody else's, by ${what}`, async () => {
      const { connection, registered } = await join(server, newType());
      connection.socket.send(message);
      assert.equal((await connection.socket.closed).code, code);
      await asker.settle();
      await using again = await Connection.open(server.signaling, registered);
      await again.settle();
    });
  }

  it("speaks in nobody else's name", async () => {
    const { registered: other } = await join(server, newType());
    const { connection } = await join(server, newType());
    await using _connection = connection;
    const own = connection.sender;
    connection.sender = { ...own, id: other.id };
    assert.equal((await connection.request(requests.ping, idlePing())).error?.code, 401);
    connection.sender = { ...own, credential: other.credential };
    assert.equal((await connection.request(requests.ping, idlePing())).error?.code, 401);
    connection.sender = own;
    await connection.settle();
  });
});

describe("signaling with a server that is full", () => {
  it("is refused with 429 by address and 503 in all, until there is room", async () => {
    const limits = { maxConnections: 2, maxConnectionsPerAddress: 1 };
    await using server = await Server.start({ options: { limits }, port: await freePort() });
    const { connection } = await join(server, "acme:first:1.0.0");
    const waiting = await register(server.ais, { type: "acme:second:1.0.0", realm });
    const open = (): Promise<Connection> => Connection.open(server.signaling, waiting);
    await assert.rejects(
      open(),
      (error) => error instanceof UpgradeRefused && error.status === 429,
    );
    await connection[Symbol.asyncDispose]();
    for (;;) {
      const opened = await open().catch((error) => {
        assert.ok(error instanceof UpgradeRefused && error.status === 429);
      });
      if (opened === undefined) continue;
      await opened[Symbol.asyncDispose]();
      break;
    }
    await server.restart({ limits: { maxConnections: 1, maxConnectionsPerAddress: 2 } });
    await using _only = await open();
    await assert.rejects(
      open(),
      (error) => error instanceof UpgradeRefused && error.status === unavailable,
    );
  });
});
