import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { delay } from "#async";
import { until } from "../../fixtures/until.ts";
import protocol from "../../vectors/protocol.json" with { type: "json" };
import { idText, typeOf, writeId, writeType } from "../peer/identity.ts";
import { Fields, Writer } from "../peer/protobuf.ts";
import { opcodes } from "../peer/websocket.ts";
import { answers, flows, requests, writeError, writeTold } from "../rendezvous/envelope.ts";
import { renewed } from "./actrix.ts";
import { issueFor, writeIssue, writeRefusal } from "./issuing.ts";
import { atHome, type Home } from "./node.ts";
import type { Request } from "./session.ts";

const limit = { timeout: 180_000 };
const patience = 45_000;
const other = "acme:shop:1.0.0";
const peer = { realm: 101, serial: 7n, type: typeOf(other) };
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

/** What a node finds when the server answers so. */
async function found(
  { node, session }: Home,
  answer: (request: Request) => void,
  type = other,
  count = 1,
): Promise<string[]> {
  const finding = node.context.discover(type, { count });
  answer(await session.request(requests.candidates));
  return (await finding).map((id) => id.serial.toString(16));
}

/** Candidates as a real server lists them: each with an entry of its address, which may be empty. */
function candidates(ids: readonly (typeof peer)[]): Writer {
  const ok = new Writer();
  for (const id of ids) ok.message(1, writeId(id));
  for (const id of ids) ok.message(2, new Writer().message(1, writeId(id)));
  return new Writer().message(1, ok);
}

// One test for each thing that a real actrix demands of a node's signaling, or does to it (`spec/protocol.md` §7, §8, §13,
// `spec/real-client.md`).
describe("our node is connected to a real actrix", limit, () => {
  it("at the configured address, whose query stays, with actor_id, key_id, claims and signature in this order", async () => {
    const query = (actrix: { signaling: string }) => ({ signaling: `${actrix.signaling}?x=1` });
    await using home = await atHome(() => {}, {}, query);
    const { target, query: given, id } = home.session;
    assert.match(
      target,
      /^\/signaling\/ws\?x=1&actor_id=1a2b3c%40101%2Facme%3Aecho-service%3A1\.0\.0&key_id=1&claims=/,
    );
    assert.deepEqual([...given.keys()], ["x", "actor_id", "key_id", "claims", "signature"]);
    assert.equal(given.get("actor_id"), idText(id));
    const { credential } = await home.session.ping();
    assert.deepEqual(
      [given.get("claims"), given.get("signature")],
      [base64(credential.claims), base64(credential.signature)],
    );
    assert.equal(target.includes("+"), false);
  });

  it("by binary envelopes of version 2 without a time, each of its own id, in its own name", async () => {
    await using home = await atHome();
    const { node, session } = home;
    const [first, second] = [node.context.discover(other), node.context.discover(other)];
    for (const each of [first, second]) each.catch(() => {});
    const asked = [
      await session.ping(),
      await session.request(requests.candidates),
      await session.request(requests.candidates),
    ];
    for (const { envelope } of asked) {
      assert.deepEqual([envelope.number(1), envelope.numbers], [2, [1, 2, flows.toServer]]);
      assert.equal(idText(session.id), idText({ ...node.id }));
      const source = envelope.message(flows.toServer)?.bytes(1);
      assert.deepEqual(Buffer.from(source ?? []), Buffer.from(writeId(session.id).done()));
    }
    assert.equal(new Set(asked.map(({ envelopeId }) => envelopeId)).size, 3);
    assert.deepEqual(session.socket.texts, []);
  });

  it("and reports at once that it is there and idle, every required field set", async () => {
    await using home = await atHome();
    const { body } = await home.session.ping();
    assert.deepEqual(
      body.numbers.filter((number) => number < 4),
      [1, 2, 3],
    );
    assert.ok((body.number(1) ?? 9) < 3, "a server may leave out who is UNAVAILABLE");
  });

  it("answers pings of the socket with what they carry", async () => {
    await using home = await atHome();
    const { socket } = home.session;
    socket.frame(opcodes.ping, Buffer.from("actr-signaling-probe-1-1"));
    const pong = await socket.pongs.take("a pong");
    assert.equal(Buffer.from(pong).toString(), "actr-signaling-probe-1-1");
  });

  it("reads envelopes of versions 0, 1 with its time, 2 and 3, with fields of the future in every part", async () => {
    await using home = await atHome();
    const { socket, id } = home.session;
    const time = new Writer().varint(1, 1_700_000_000).varint(2, 123_000_000);
    for (const version of [0, 1, 2, 3]) {
      const answer = ({ envelopeId }: Request): void => {
        const ok = new Writer().message(1, writeId(peer).text(50, "new")).text(60, "new");
        const result = new Writer().message(1, ok).varint(70, 1);
        const told = writeTold(id, answers.candidates, result).text(80, "new");
        const envelope = new Writer().text(90, "new").varint(1, version).text(2, "srv-1");
        if (version === 1) envelope.message(4, time);
        envelope
          .text(3, envelopeId)
          .text(5, "")
          .message(flows.toActr, told)
          .varint(91, 1n << 63n);
        socket.send(envelope.done());
      };
      assert.deepEqual(await found(home, answer), ["7"], `version ${version}`);
    }
  });

  it("reads the vectors of the specification as they are, and loses nothing by them", async () => {
    await using home = await atHome();
    for (const { hex } of protocol.envelopes) home.session.socket.send(Buffer.from(hex, "hex"));
    const answer = (request: Request): void =>
      home.session.answer(request, answers.candidates, candidates([peer]));
    assert.deepEqual(await found(home, answer), ["7"]);
  });

  it("ignores texts, junk, answers to nobody, events, errors of no request and flows of the future", async () => {
    await using home = await atHome();
    const { session, node } = home;
    const { socket, id } = session;
    socket.frame(opcodes.text, Buffer.from("hello"));
    for (const junk of [[], [255, 255, 255], [8], [10, 200, 1]]) socket.send(Uint8Array.from(junk));
    session.tell(answers.pong, new Writer().varint(1, 1), "env-of-nobody");
    session.tell(answers.actrUp, new Writer().message(1, writeId(peer)));
    session.tell(99, new Writer().text(1, "a payload of the future"));
    session.send(flows.error, writeError(429, "Too many messages. Limit: 10 messages/second"));
    session.send(40, new Writer().text(1, "a flow of the future"));
    socket.send(new Writer().varint(1, 2).text(2, "no flow").done());
    const nobody = { realm: 0, serial: 0n, type: typeOf("temp:temp:1.0.0") };
    const gone = new Writer().message(2, writeError(410, "HTTP only"));
    session.send(flows.toActr, writeTold(nobody, answers.registered, gone));
    assert.equal(idText(id), idText(session.id));
    const answer = (request: Request): void =>
      session.answer(request, answers.candidates, candidates([peer]));
    assert.deepEqual(await found(home, answer), ["7"]);
    assert.equal(node.node.presence.signaling.connected, true);
  });

  it("finds candidates without addresses, as many as it wants, and never itself, whom a real server lists", async () => {
    await using home = await atHome();
    const { session } = home;
    const self = session.id;
    const answer =
      (ids: readonly (typeof peer)[]) =>
      (request: Request): void =>
        session.answer(request, answers.candidates, candidates(ids));
    const more = [7n, 8n, 9n].map((serial) => ({ ...peer, serial }));
    assert.deepEqual(await found(home, answer(more), other, 2), ["7", "8"]);
    const own = `${self.type.manufacturer}:${self.type.name}:${self.type.version}`;
    const twin = { ...self, serial: 9n };
    assert.deepEqual(await found(home, answer([self, twin]), own), ["9"]);
    await assert.rejects(found(home, answer([self]), own), { code: "not_found" });
  });

  it("asks for candidates by count alone; where it is locked to a description, for nodes of that first", async () => {
    const fingerprint = `service_semantic:${"0".repeat(64)}`;
    for (const dependencies of [undefined, [{ type: other, fingerprint }]]) {
      await using home = await atHome(() => {}, dependencies === undefined ? {} : { dependencies });
      const asked: Fields[] = [];
      await found(home, (request) => {
        asked.push(request.body);
        home.session.answer(request, answers.candidates, candidates([peer]));
      });
      const [body] = asked;
      assert.deepEqual(
        Buffer.from(body?.bytes(1) ?? []),
        Buffer.from(writeType(typeOf(other)).done()),
      );
      const criteria = body?.message(2);
      const locked = dependencies !== undefined;
      assert.deepEqual([criteria?.number(1), criteria?.numbers], [1, locked ? [1, 2] : [1]]);
      assert.equal(criteria?.number(2), locked ? 2 : undefined, "EXACT_MATCH_FIRST");
      assert.deepEqual([body?.has(4), body?.text(4)], [true, locked ? fingerprint : ""]);
    }
  });

  it("tells errors of the server apart, in the answer or in its place", async () => {
    await using home = await atHome();
    const { session } = home;
    const refuse =
      (code: number) =>
      (request: Request): void =>
        session.refuse(request, code, "no");
    await assert.rejects(found(home, refuse(403)), { code: "permission_denied" });
    await assert.rejects(found(home, refuse(500)), { code: "unavailable" });
    const inside = (request: Request): void =>
      session.answer(request, answers.candidates, new Writer().message(2, writeError(404, "no")));
    await assert.rejects(found(home, inside), { code: "not_found" });
    const empty = (request: Request): void =>
      session.answer(request, answers.candidates, candidates([]));
    await assert.rejects(found(home, empty), { code: "not_found" });
    const otherKind = (request: Request): void =>
      session.answer(request, answers.pong, new Writer().varint(1, 1));
    await assert.rejects(found(home, otherKind), { code: "decode_failure" });
  });

  it("loses no request to a server that drops what is more than 50 messages at once and 10 in a second", async () => {
    await using home = await atHome();
    const { session, node } = home;
    await session.ping();
    session.limit = { burst: 50, perSecond: 10 };
    const finding = Array.from({ length: 60 }, () => node.context.discover(other));
    const answering = Array.from({ length: 60 }, async () => {
      const request = await session.request(requests.candidates);
      session.answer(request, answers.candidates, candidates([peer]));
    });
    const found = await Promise.all(finding);
    assert.deepEqual(
      [found.length, await Promise.all(answering).then((all) => all.length)],
      [60, 60],
    );
    assert.ok(session.lost >= 10, `${session.lost} were lost`);
  });

  it("leaves by one farewell that names the reason, and then the socket", async () => {
    const home = await atHome();
    const { session, node, actrix } = home;
    const stopping = node.stop();
    await session.closed;
    await stopping;
    const farewells = session.asked.filter(({ kind }) => kind === requests.unregister);
    assert.deepEqual(
      farewells.map(({ body }) => body.text(2)),
      ["Graceful shutdown"],
    );
    const [body] = farewells;
    assert.deepEqual(
      Buffer.from(body?.body.bytes(1) ?? []),
      Buffer.from(writeId(session.id).done()),
    );
    await actrix[Symbol.asyncDispose]();
  });
});

describe("our node keeps its place at a real actrix", limit, () => {
  const warning = (): Writer => {
    const words = new Writer().varint(1, 0).text(2, "the key is in its tolerance");
    return new Writer().varint(1, 1).message(3, words);
  };
  /** The first ping of a connection whose pings nothing answers by itself. */
  const firstPing = ({ session }: Home): Promise<Request> => session.request(requests.ping);
  const silent = { answers: false };
  /** That the node is still itself, on the connection that it had, with another credential. */
  const renewedInPlace = async (
    { session, actrix, node }: Home,
    before: Request,
  ): Promise<void> => {
    await until("the renewal", () => actrix.paths.includes("/ais/renew"), patience);
    const post = actrix.posts.at(-1);
    assert.deepEqual(actrix.paths, ["/ais/register", "/ais/renew"]);
    assert.equal(post?.headers.has("x-actrix-realm-secret"), false);
    const request = new Fields(post?.body ?? new Uint8Array(0));
    assert.deepEqual(request.numbers, [1, 2]);
    assert.deepEqual(Buffer.from(request.bytes(1) ?? []), Buffer.from(writeId(session.id).done()));
    assert.equal(request.bytes(2)?.length, 32);
    await until(
      "the new credential",
      () =>
        node.node.presence.session.current.generation === 1 &&
        base64(node.node.presence.session.current.credential.signature) !==
          base64(before.credential.signature),
      patience,
    );
    void node.context.discover(other).catch(() => {});
    const { credential } = await session.request(requests.candidates);
    assert.notEqual(base64(credential.signature), base64(before.credential.signature));
    assert.equal(actrix.upgrades.length, 1);
  };

  it("renews when a pong warns of its credential, on the same connection under the same id", async () => {
    await using home = await atHome(
      (actrix) => Object.assign(actrix, silent),
      {},
      () => ({ realmSecret: "s" }),
    );
    const ping = await firstPing(home);
    home.session.answer(ping, answers.pong, warning());
    home.session.answers = true;
    await renewedInPlace(home, ping);
  });

  it("renews when its credential is refused in answer to a ping", async () => {
    await using home = await atHome((actrix) => Object.assign(actrix, silent));
    const ping = await firstPing(home);
    home.session.refuse(ping, 401, "Credential validation failed: Token has expired");
    home.session.answers = true;
    await renewedInPlace(home, ping);
  });

  it("goes on after other errors in answer to a ping, and after none", async () => {
    for (const code of [403, 404, 500, undefined]) {
      await using home = await atHome((actrix) => Object.assign(actrix, silent));
      const ping = await firstPing(home);
      if (code !== undefined) home.session.refuse(ping, code, "no");
      home.session.answers = true;
      const answer = (request: Request): void =>
        home.session.answer(request, answers.candidates, candidates([peer]));
      assert.deepEqual(await found(home, answer), ["7"]);
      assert.deepEqual(home.actrix.paths, ["/ais/register"]);
    }
  });

  it("registers anew, as it did at first, when its renewal is refused: another id, another connection", async () => {
    for (const status of [401, 200]) {
      await using home = await atHome(
        (actrix) => {
          Object.assign(actrix, silent);
          actrix.renew = () => ({
            status,
            body: writeRefusal(401, "Renewal token invalid or expired"),
          });
        },
        {},
        () => ({ realmSecret: "s" }),
      );
      const { actrix, session, node } = home;
      const before = node.id.serial;
      actrix.answers = true;
      session.answer(await firstPing(home), answers.pong, warning());
      await session.closed;
      const next = await actrix.session();
      assert.notEqual(next.id.serial, before);
      assert.equal(node.id.serial, next.id.serial);
      const [first, , , again] = actrix.posts;
      const paths = ["/ais/register", "/ais/renew", "/ais/reissue", "/ais/register"];
      assert.deepEqual(actrix.paths, paths);
      assert.deepEqual(again?.body, first?.body);
      assert.equal(again?.headers.get("x-actrix-realm-secret"), "s");
      await next.ping();
    }
  });

  it("is issued again, on the connection that it has, when its renewal is refused where there is reissue", async () => {
    await using home = await atHome(
      (actrix) => {
        Object.assign(actrix, silent);
        actrix.renew = () => ({ status: 401, body: writeRefusal(401, "Renewal token expired") });
        actrix.reissue = renewed;
      },
      {},
      () => ({ realmSecret: "s" }),
    );
    const { actrix, session, node } = home;
    const before = node.node.presence.session.current;
    const ping = await firstPing(home);
    session.answer(ping, answers.pong, warning());
    session.answers = true;
    await until(
      "the new credential",
      () => node.node.presence.session.current.credential !== before.credential,
      patience,
    );
    assert.deepEqual(actrix.paths, ["/ais/register", "/ais/renew", "/ais/reissue"]);
    const [registered, , reissued] = actrix.posts;
    assert.equal(reissued?.headers.get("x-actrix-realm-secret"), "s");
    const request = new Fields(reissued?.body ?? new Uint8Array(0));
    assert.deepEqual(request.numbers, [1, 2, 3]);
    assert.deepEqual(Buffer.from(request.bytes(1) ?? []), Buffer.from(writeId(session.id).done()));
    assert.deepEqual(Buffer.from(request.bytes(2) ?? []), Buffer.from(registered?.body ?? []));
    assert.deepEqual(Buffer.from(request.bytes(3) ?? []), Buffer.from(before.renewalToken ?? []));
    assert.equal(node.node.presence.session.current.generation, 1);
    void node.context.discover(other).catch(() => {});
    const { credential } = await session.request(requests.candidates);
    assert.notEqual(base64(credential.signature), base64(ping.credential.signature));
    assert.equal(actrix.upgrades.length, 1);
  });

  it("stays up, and says so to who calls, when its realm is closed to it", async () => {
    await using home = await atHome((actrix) => {
      Object.assign(actrix, silent);
      actrix.renew = () => ({
        status: 403,
        body: writeRefusal(403, "Realm validation failed: Realm 101 is disabled"),
      });
    });
    const { session, node } = home;
    session.answer(await firstPing(home), answers.pong, warning());
    session.answers = true;
    await until(
      "the realm is closed",
      () => node.node.presence.session.phase === "realm_unavailable",
      patience,
    );
    const id = { realm: 101, serial: 7n, type: typeOf(other) };
    await assert.rejects(node.context.call(id, "a.B.C", new Uint8Array(0)), {
      code: "connection_not_ready",
    });
    assert.equal(node.node.presence.signaling.connected, true);
  });

  it("discards a renewal that is for another id, or lacks what it needs, and keeps what it has", async () => {
    const wrong = [
      (id: typeof peer) => writeIssue(issueFor({ ...id, serial: id.serial + 1n })),
      (id: typeof peer) =>
        writeIssue({ ...issueFor(id), credential: issueFor({ ...id, serial: 9n }).credential }),
      (id: typeof peer) => {
        const { token, ...rest } = issueFor(id);
        return writeIssue(rest);
      },
    ];
    for (const body of wrong) {
      await using home = await atHome((actrix) => {
        Object.assign(actrix, silent);
        actrix.renew = () => ({ status: 200, body: body(home.session.id) });
      });
      const { session, actrix, node } = home;
      const ping = await firstPing(home);
      session.answer(ping, answers.pong, warning());
      session.answers = true;
      await until("the renewal", () => actrix.paths.includes("/ais/renew"), patience);
      await delay(100);
      const { credential, generation } = node.node.presence.session.current;
      assert.deepEqual(
        [base64(credential.signature), generation],
        [base64(ping.credential.signature), 1],
      );
      assert.equal(actrix.upgrades.length, 1);
    }
  });

  it("comes back after a loss with the same credential and address, without registering, and reports at once", async () => {
    await using home = await atHome();
    const { session, actrix } = home;
    await session.ping();
    session.socket.destroy();
    const next = await actrix.session();
    assert.equal(next.target, session.target);
    await next.ping();
    assert.deepEqual(actrix.paths, ["/ais/register"]);
  });

  it(
    "gives up a connection on which its pings are not answered, and comes back",
    limit,
    async (t) => {
      await using home = await atHome();
      const { session, actrix } = home;
      await session.ping();
      session.socket.answersPings = false;
      session.answers = false;
      const closed = session.closed.then(() => "lost");
      const next = await actrix.session();
      if (session.socket.pings === 0) return t.skip("this runtime watches connections by itself");
      assert.equal(session.socket.pings, 2, "two go unanswered, the third look ends it");
      assert.equal(await closed, "lost");
      assert.equal(next.target, session.target);
      assert.deepEqual(actrix.paths, ["/ais/register"]);
      await next.ping();
    },
  );

  it("comes back after it was displaced", async () => {
    await using home = await atHome();
    const { session, actrix } = home;
    const reason = Buffer.from("displaced by new connection");
    const code = Buffer.alloc(2);
    code.writeUInt16BE(1008);
    session.socket.frame(opcodes.close, Buffer.concat([code, reason]));
    assert.equal((await actrix.session()).target, session.target);
  });

  it("renews at once when an upgrade is answered 401, and connects with what it got", async () => {
    await using home = await atHome();
    const { session, actrix } = home;
    const { renew } = actrix;
    actrix.refuses = 401;
    actrix.renew = (...asked) => {
      actrix.refuses = undefined;
      return renew(...asked);
    };
    session.socket.destroy();
    const next = await actrix.session();
    assert.deepEqual(actrix.paths, ["/ais/register", "/ais/renew"]);
    assert.equal(idText(next.id), idText(session.id));
    assert.notEqual(next.query.get("signature"), session.query.get("signature"));
  });

  it("waits where an upgrade is answered otherwise, and does not doubt its credential", async () => {
    await using home = await atHome();
    const { session, actrix } = home;
    actrix.refuses = 503;
    session.socket.destroy();
    await until("an attempt", () => actrix.upgrades.length >= 2, 45_000);
    actrix.refuses = undefined;
    const next = await actrix.session();
    assert.equal(next.target, session.target);
    assert.deepEqual(actrix.paths, ["/ais/register"]);
  });
});
