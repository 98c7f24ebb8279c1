import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { ActrId } from "../peer/identity.ts";
import { writeCredential, writeId } from "../peer/identity.ts";
import { type Fields, Writer } from "../peer/protobuf.ts";
import { register } from "../peer/registration.ts";
import { type Signal, writeSignal } from "../peer/signals.ts";
import { Connection } from "./connection.ts";
import { blankCredential, flows, relays } from "./envelope.ts";
import { discover, join, realm } from "./joining.ts";
import { Server } from "./server.ts";

const hex = (of: Uint8Array): string => Buffer.from(of).toString("hex");
const offer: Signal = {
  kind: "description",
  type: 0,
  sdp: "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n",
  exchangeId: "6ecd07ca-2a2c-4c7e-9a9a-0d4b8f6c0001",
};
/** As the real client sends it: without sdp_mid. */
const candidate: Signal = {
  kind: "candidate",
  candidate: "candidate:1 1 udp 2130706431 192.168.1.5 50123 typ host",
  sdpMLineIndex: 0,
  usernameFragment: "AbCdEfGhIjKlMnOp",
};

/** A relay as `to` must get it: what `from` sent, but nobody's credential. */
function expected(
  id: string,
  from: ActrId,
  to: ActrId,
  field: number,
  body: Writer,
  more = new Writer(),
): string {
  const relay = new Writer()
    .message(1, writeId(from))
    .message(2, writeCredential(blankCredential))
    .message(3, writeId(to))
    .message(field, body);
  const whole = Buffer.concat([relay.done(), more.done()]);
  return hex(new Writer().varint(1, 2).text(2, id).bytes(flows.relay, whole).done());
}

function negotiation(from: ActrId, to: ActrId): Writer {
  return new Writer().message(1, writeId(from)).message(2, writeId(to)).varint(3, from.realm);
}

describe("relays as the real client sends them", () => {
  let server: Server;
  let one: Connection;
  let other: Connection;

  before(async () => {
    server = await Server.start();
    one = (await join(server, "acme:one:1.0.0")).connection;
    other = (await join(server, "acme:other:1.0.0")).connection;
  });
  after(async () => {
    for (const each of [one, other]) await each[Symbol.asyncDispose]();
    await server.stop();
  });

  /** Both sides of a role negotiation that `from` begins. */
  async function roles(from: Connection, to: Connection): Promise<[Fields, Fields]> {
    from.relay(to.id, relays.negotiation, negotiation(from.id, to.id));
    const assigned = async (node: Connection): Promise<Fields> => {
      const { bytes, id, relay, replyFor } = await node.relayed();
      assert.equal(replyFor, undefined);
      const assignment = relay?.message(relays.assignment);
      assert.ok(assignment);
      const body = new Writer().varint(1, assignment.number(1) ?? 9);
      assert.equal(hex(bytes), expected(id, from.id, to.id, relays.assignment, body));
      return assignment;
    };
    return [await assigned(from), await assigned(to)];
  }

  const offers = (assignment: Fields): boolean => assignment.number(1) === 1;

  it("gives both sides their roles, which the later one offers, whoever asked", async () => {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const [asked, asking] = await roles(from, to);
      assert.deepEqual([offers(asked), offers(asking)], [from === other, to === other]);
    }
  });

  it("has the side with a fixed port range answer, unless both have one", async () => {
    const { connection: fixed } = await join(server, "acme:fixed:1.0.0", { answersOnly: true });
    await using _fixed = fixed;
    for (const [from, to] of [
      [one, fixed],
      [fixed, one],
    ] as const) {
      const [asked] = await roles(from, to);
      assert.equal(offers(asked), from === one);
    }
    const { connection: later } = await join(server, "acme:fixed:1.0.0", { answersOnly: true });
    await using _later = later;
    const [asked] = await roles(fixed, later);
    assert.equal(offers(asked), false);
  });

  it("passes descriptions and candidates on as they are, in order, with nobody's credential", async () => {
    const sent = [
      [relays.description, offer],
      ...Array.from({ length: 20 }, () => [relays.candidate, candidate] as const),
      [relays.restartRequest, { kind: "restart_request", reason: "network_recovered" }],
    ] as const;
    for (const [field, signal] of sent) one.relay(other.id, field, writeSignal(signal));
    for (const [field, signal] of sent) {
      const { bytes, id } = await other.relayed();
      assert.equal(hex(bytes), expected(id, one.id, other.id, field, writeSignal(signal)));
    }
  });

  it("keeps what it does not know: fields of ids, of the payload and beside it", async () => {
    const [id, later] = [randomUUID(), new Writer().text(99, "of a later version")];
    const grown = (node: Connection): Writer => writeId(node.id).varint(98, 1n << 60n);
    const body = writeSignal(offer).message(97, later);
    const relay = new Writer()
      .message(1, grown(one))
      .message(2, writeCredential(one.sender.credential))
      .message(3, grown(other))
      .message(relays.description, body)
      .message(96, later);
    one.send(flows.relay, relay, id);
    const received = (await other.relayed()).relay;
    assert.deepEqual(
      received?.numbers.sort((a, b) => a - b),
      [1, 2, 3, relays.description, 96],
    );
    assert.equal(hex(received?.bytes(1) ?? Uint8Array.of()), hex(grown(one).done()));
    assert.equal(hex(received?.bytes(3) ?? Uint8Array.of()), hex(grown(other).done()));
    assert.equal(hex(received?.bytes(relays.description) ?? Uint8Array.of()), hex(body.done()));
    assert.equal(hex(received?.bytes(96) ?? Uint8Array.of()), hex(later.done()));
    assert.equal(
      hex(received?.bytes(2) ?? Uint8Array.of()),
      hex(writeCredential(blankCredential).done()),
    );
  });

  it("passes on payloads that it has never heard of", async () => {
    one.relay(other.id, 15, new Writer().text(1, "of a later version"));
    assert.equal((await other.relayed()).relay?.message(15)?.text(1), "of a later version");
  });

  it("passes on the trace, and answers nothing when all is well", async () => {
    const traceparent = "00-11111111111111111111111111111111-2222222222222222-01";
    const relay = new Writer()
      .message(1, writeId(one.id))
      .message(2, writeCredential(one.sender.credential))
      .message(3, writeId(other.id))
      .message(relays.candidate, writeSignal(candidate));
    const envelope = new Writer()
      .varint(1, 2)
      .text(2, randomUUID())
      .text(5, traceparent)
      .text(6, "a=b");
    one.socket.send(envelope.message(flows.relay, relay).done());
    const { numbers } = await other.relayed();
    assert.deepEqual(numbers, [1, 2, 5, 6, flows.relay]);
    await one.settle();
    assert.equal(one.inbox.size, 0);
  });

  it("tells who relays that the other is absent, or that it speaks for somebody else", async () => {
    const absent = await register(server.ais, { type: "acme:absent:1.0.0", realm });
    const offered = one.relay(absent.id, relays.description, writeSignal(offer));
    assert.equal((await one.answer(offered)).error?.code, 404);
    const asked = one.relay(absent.id, relays.negotiation, negotiation(one.id, absent.id));
    assert.equal((await one.answer(asked)).error?.code, 404);
    const own = one.sender;
    one.sender = { ...own, id: other.id };
    const foreign = await one.answer(one.relay(other.id, relays.description, writeSignal(offer)));
    assert.equal(foreign.error?.code, 403);
    one.sender = { ...own, credential: other.sender.credential };
    const stolen = await one.answer(one.relay(other.id, relays.description, writeSignal(offer)));
    assert.ok([401, 403].includes(stolen.error?.code ?? 0));
    one.sender = own;
    const others = one.relay(other.id, relays.negotiation, negotiation(other.id, one.id));
    assert.equal((await one.answer(others)).error?.code, 403);
    await other.settle();
    assert.equal(other.inbox.size, 0);
  });

  it("reaches only who allows it, and is answered by whom it reaches without a rule of its own", async () => {
    const rules = [{ allow: true, type: "acme:asking:1.0.0", realm }];
    const { connection: guarded } = await join(server, "acme:guarded:1.0.0", { rules });
    await using _guarded = guarded;
    const { connection: asking } = await join(server, "acme:asking:1.0.0", { rules: [] });
    await using _asking = asking;
    assert.equal((await discover(asking, "acme:guarded:1.0.0")).length, 1);
    assert.equal((await discover(other, "acme:guarded:1.0.0")).length, 0);
    const offered = (from: Connection, to: Connection): string =>
      from.relay(to.id, relays.description, writeSignal(offer));
    const denied = { code: 403, message: "ACL policy denies relay to target actor" };
    assert.deepEqual((await other.answer(offered(other, guarded))).error, denied);
    const asked = other.relay(guarded.id, relays.negotiation, negotiation(other.id, guarded.id));
    assert.deepEqual((await other.answer(asked)).error, denied);
    assert.deepEqual((await guarded.answer(offered(guarded, asking))).error, denied);
    offered(asking, guarded);
    await guarded.relayed();
    offered(guarded, asking);
    await asking.relayed();
  });

  it("reaches a node again as soon as that has come back, which says nothing", async () => {
    const { registered, connection: before } = await join(server, "acme:returning:1.0.0");
    await before[Symbol.asyncDispose]();
    await using back = await Connection.open(server.signaling, registered);
    one.relay(back.id, relays.description, writeSignal(offer));
    assert.equal((await back.relayed()).relay?.message(relays.description)?.number(1), 0);
  });
});
