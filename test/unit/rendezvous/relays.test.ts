import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aclMessage } from "../../../src/protocol/acl_message.ts";
import { fromActrIdMessage, toActrIdMessage } from "../../../src/protocol/id_messages.ts";
import type { ActrId } from "../../../src/protocol/ids.ts";
import { Invitations } from "../../../src/rendezvous/invitations.ts";
import { Bench, type Joined } from "./bench.ts";

const client = "acme:client:0.1.0";
const nobody = aclMessage([]);
const onlyClients = aclMessage([{ permission: "allow", type: client }]);

/** What a node got relayed: kind and where it claims to come from and go to. */
function relayed({ socket }: Joined): string[] {
  return socket.sent.flatMap(({ flow, replyFor }) => {
    if (flow.case !== "actrRelay") return [];
    const { source, target, payload, credential } = flow.value;
    assert.equal(credential?.keyId, 0);
    assert.equal(credential.claims.length + credential.signature.length, 0);
    assert.equal(replyFor, "");
    const serials = [source, target].map((each) => fromActrIdMessage(each).serial);
    return [`${payload.case} ${serials.join(">")}`];
  });
}

/** Offers of a negotiation, as each side was told. */
function offers(node: Joined): boolean[] {
  return node.socket.sent.flatMap(({ flow }) => {
    if (flow.case !== "actrRelay" || flow.value.payload.case !== "roleAssignment") return [];
    const { source, target } = flow.value;
    assert.notDeepEqual(source, target);
    assert.equal(flow.value.payload.value.remoteFixed, false);
    return [flow.value.payload.value.isOfferer];
  });
}

describe("a relay", () => {
  // Section 7.5, in the order of its checks.
  it("from a realm that is not there: 403", async () => {
    const bench = await Bench.open({ realms: [{ id: 7 }] });
    const [from, to] = [await bench.join(1), await bench.join(2)];
    from.relay(to.id, "a");
    assert.deepEqual(from.answers, ["a error 403"]);
  });

  it("under another's name: 403", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2)];
    from.relay(to.id, "a", undefined, { source: to.id });
    assert.deepEqual(from.answers, ["a error 403"]);
    assert.deepEqual(relayed(to), []);
  });

  it("under another version of its own type: 403", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2)];
    const source = { ...from.id, type: { ...from.id.type, version: "9.0.0" } };
    from.relay(to.id, "a", undefined, { source });
    assert.deepEqual(from.answers, ["a error 403"]);
  });

  it("with a credential that has expired: 401", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1, { lifeSeconds: 1 }), await bench.join(2)];
    await bench.clock.advance(1_000);
    from.relay(to.id, "a");
    assert.deepEqual(from.answers, ["a error 401"]);
  });

  it("to one whose rules do not admit it: 403", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2, { acl: nobody })];
    from.relay(to.id, "a");
    assert.deepEqual(from.answers, ["a error 403"]);
    assert.deepEqual(relayed(to), []);
  });

  it("to another realm, without rules: 403", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2, { realm: 2 })];
    from.relay(to.id, "a");
    assert.deepEqual(from.answers, ["a error 403"]);
  });

  it("to one who is not connected: 404", async () => {
    const bench = await Bench.open();
    const from = await bench.join(1);
    from.relay({ ...from.id, serial: 9n }, "a");
    assert.deepEqual(from.answers, ["a error 404"]);
  });

  it("to its own source: 400", async () => {
    const bench = await Bench.open();
    const from = await bench.join(1);
    from.relay(from.id, "a");
    assert.deepEqual(from.answers, ["a error 400"]);
  });

  it("to one who does not read: 503, and that one is gone", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2)];
    to.socket.bufferedAmount = 5 * 1024 * 1024;
    from.relay(to.id, "a");
    from.relay(to.id, "b");
    assert.deepEqual(from.answers, ["a error 503", "b error 404"]);
    assert.equal(to.socket.terminated, true);
  });

  it("that passes: no answer", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2)];
    from.relay(to.id, "a");
    assert.deepEqual(from.answers, []);
    assert.deepEqual(relayed(to), ["iceRestartRequest 1>2"]);
  });

  it("is routed by realm and serial alone", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2)];
    from.relay({ ...to.id, type: { ...to.id.type, name: "other" } }, "a");
    assert.deepEqual(relayed(to), ["iceRestartRequest 1>2"]);
  });
});

describe("whoever was reached", () => {
  async function pair(): Promise<[Bench, client: Joined, server: Joined]> {
    const bench = await Bench.open();
    const caller = await bench.join(1, { type: client, acl: nobody });
    return [bench, caller, await bench.join(2, { acl: onlyClients })];
  }

  it("may answer, and nobody before", async () => {
    const [, caller, server] = await pair();
    server.relay(caller.id, "early");
    caller.relay(server.id, "a");
    server.relay(caller.id, "b");
    assert.deepEqual(server.answers, ["early error 403", "actrRelay"]);
    assert.deepEqual(relayed(caller), ["iceRestartRequest 2>1"]);
  });

  it("may answer after a role negotiation", async () => {
    const [, caller, server] = await pair();
    caller.negotiate(server.id, "a");
    server.relay(caller.id, "b");
    assert.deepEqual(relayed(caller), ["roleAssignment 1>2", "iceRestartRequest 2>1"]);
  });

  it("may answer when either has reconnected", async () => {
    const [bench, caller, server] = await pair();
    caller.relay(server.id, "a");
    caller.socket.terminate();
    server.socket.terminate();
    const back = await bench.join(1, { type: client, acl: nobody });
    const again = await bench.join(2, { acl: onlyClients });
    again.relay(back.id, "b");
    assert.deepEqual(relayed(back), ["iceRestartRequest 2>1"]);
  });

  it("may not when the other has unregistered", async () => {
    const [bench, caller, server] = await pair();
    caller.relay(server.id, "a");
    caller.ask({ case: "unregisterRequest", value: { actrId: toActrIdMessage(caller.id) } });
    const back = await bench.join(1, { type: client, acl: nobody });
    server.relay(back.id, "b");
    assert.equal(server.answers.at(-1), "b error 403");
  });
});

describe("Invitations", () => {
  it("forgets whom a node reached longest ago, and who reached anybody longest ago", () => {
    const invitations = new Invitations(2);
    for (let each = 0; each < 1_024; each++) invitations.add("a", `${each}`);
    invitations.add("a", "0");
    invitations.add("a", "new");
    assert.equal(invitations.has("a", "0"), true);
    assert.equal(invitations.has("a", "1"), false);
    assert.equal(invitations.has("a", "2"), true);
    invitations.add("b", "x");
    invitations.add("a", "x");
    invitations.add("c", "x");
    assert.deepEqual([invitations.has("a", "x"), invitations.has("b", "x")], [true, false]);
  });
});

describe("a role negotiation", () => {
  // Section 7.6 and `webrtc_role`: who offers.
  const rows: readonly [from: number, to: number, from: boolean, to: boolean, offers: boolean][] = [
    [2, 1, false, false, true],
    [1, 2, false, false, false],
    [2, 1, true, false, false],
    [2, 1, false, true, true],
    [1, 2, false, true, true],
    [1, 2, true, false, false],
    [2, 1, true, true, true],
    [1, 2, true, true, false],
  ];
  for (const [from, to, fromAnswers, toAnswers, fromOffers] of rows) {
    const role = (answers: boolean): string => (answers ? " (answer)" : "");
    const who = fromOffers ? from : to;
    it(`of ${from}${role(fromAnswers)} with ${to}${role(toAnswers)}: ${who} offers`, async () => {
      const bench = await Bench.open();
      const one = await bench.join(from, { answersOnly: fromAnswers });
      const two = await bench.join(to, { answersOnly: toAnswers });
      one.negotiate(two.id, "a");
      assert.deepEqual(offers(one), [fromOffers]);
      assert.deepEqual(offers(two), [!fromOffers]);
      for (const each of [one, two]) {
        assert.deepEqual(relayed(each), [`roleAssignment ${from}>${to}`]);
      }
    });
  }

  it("is answered when its target is not connected, and gives nobody a role", async () => {
    const bench = await Bench.open();
    const from = await bench.join(1);
    from.negotiate({ ...from.id, serial: 9n }, "a");
    assert.deepEqual(from.answers, ["a error 404"]);
  });

  it("with one who does not read is answered with 503, and gives nobody a role", async () => {
    const bench = await Bench.open();
    const [from, to] = [await bench.join(1), await bench.join(2)];
    to.socket.bufferedAmount = 5 * 1024 * 1024;
    from.negotiate(to.id, "a");
    assert.deepEqual(from.answers, ["a error 503"]);
  });

  it("is refused when it names others than its source and target", async () => {
    const bench = await Bench.open();
    const [from, to, third] = [await bench.join(1), await bench.join(2), await bench.join(3)];
    const negotiation = (a: ActrId, b: ActrId) =>
      ({
        case: "roleNegotiation",
        value: { from: toActrIdMessage(a), to: toActrIdMessage(b), realmId: 1 },
      }) as const;
    from.relay(to.id, "a", negotiation(third.id, to.id));
    from.relay(to.id, "b", negotiation(from.id, third.id));
    assert.deepEqual(from.answers, ["a error 403", "b error 403"]);
    assert.deepEqual([...offers(to), ...offers(third)], []);
  });
});
