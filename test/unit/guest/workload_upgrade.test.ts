import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { ActrError, formatActrId } from "@roost/edge";
import { guestFault } from "../../../src/guest/fault.ts";
import type { VerifiedPackage } from "../../../src/guest/package/verified_package.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import {
  echo,
  FakeGuestHost,
  type FakeInstance,
  type Script,
} from "../../fixtures/fake_guest_host.ts";
import { settledUntil } from "../../fixtures/settled_until.ts";
import {
  type GuestNodeOptions,
  guestNode,
  ok,
  routes,
  shown,
  text,
  verified,
} from "./workload_support.ts";

const limit = { timeout: 60_000 };
const hello = utf8("hello");

/** A package of the same version, told from the other by what it describes. */
const again: VerifiedPackage = { ...verified(), manifestBytes: utf8("again") };

/** A guest that says in which instance it answers, numbered from 1; calls of `held` end when the test says so. */
function numbered(more: (instance: number) => ReturnType<Script> | undefined = () => undefined) {
  const instances: FakeInstance[] = [];
  const waiting: (() => void)[] = [];
  const script: Script = ({ entry, instance, invocation, call }) => {
    if (!instances.includes(instance)) instances.push(instance);
    const number = instances.indexOf(instance) + 1;
    if (entry.name === "on-start") return more(number) ?? { ok: undefined };
    if (entry.name !== "dispatch") return { ok: undefined };
    const { routeKey, payload } = entry.envelope;
    if (routeKey === "listen") {
      const { token } = invocation;
      return Promise.resolve(call({ name: "register-stream", token, streamId: "s" })).then(() =>
        ok(""),
      );
    }
    if (routeKey !== "held") return ok(`${number}: ${text(payload)}`);
    return new Promise((resolve) => waiting.push(() => resolve(ok(`${number}: ${text(payload)}`))));
  };
  const host = new FakeGuestHost(script);
  const end = (): void => {
    for (const each of waiting.splice(0)) each();
  };
  return { script, host, instances, waiting, end };
}

async function upgradable(
  more?: Parameters<typeof numbered>[0],
  init: GuestNodeOptions["init"] = {},
) {
  const guest = numbered(more);
  const limits = { entryTimeoutMs: 60_000 };
  const t = await guestNode(guest.script, { host: guest.host, guest: { limits }, init });
  const peer = await t.peer();
  const call = (route = "r", to = t.id) => peer.context.call(to, route, hello).then(text);
  const { upgrades } = t.node;
  assert.ok(upgrades);
  return {
    ...guest,
    t,
    peer,
    call,
    upgrades,
    [Symbol.asyncDispose]: () => t[Symbol.asyncDispose](),
  };
}

describe("an upgrade to a package of the same version", () => {
  it(
    "[GD-27] is loaded beside, drains, switches, and can be taken back; no request is lost",
    limit,
    async () => {
      await using world = await upgradable();
      const { t, call, upgrades, waiting, host } = world;
      const id = formatActrId(t.id);
      const first = call("held");
      await settledUntil(t.clock, "the request is held", () => waiting.length === 1);
      const upgrade = upgrades.upgrade(again);
      const second = call();
      await settledUntil(t.clock, "the other is loaded", () => host.instances.length === 2);
      assert.deepEqual(host.instance.entered, [], "not entered before the other has drained");
      world.end();
      assert.equal(await first, "1: hello");
      await upgrade;
      assert.equal(await second, "2: hello");
      assert.deepEqual(host.instance.entered.slice(0, 1), ["on-start lifecycle:on_start"]);
      assert.equal(host.instances[0]?.entered.at(-1), "on-stop lifecycle:on_stop");
      assert.ok(host.instances[0]?.discarded);
      assert.equal(formatActrId(t.id), id);
      assert.equal(t.node.guest?.package, again);
      await upgrades.rollback();
      assert.equal(await call(), "3: hello");
      assert.equal(t.node.guest?.package.keyId, verified().keyId);
      assert.notEqual(t.node.guest?.package, again);
    },
  );

  it(
    "leaves what runs as it is when the other does not load, or does not begin",
    limit,
    async () => {
      await using world = await upgradable((number) =>
        number === 2 ? { error: { code: "unavailable", message: "no configuration" } } : undefined,
      );
      const { t, call, upgrades, host, peer } = world;
      await call("listen");
      await assert.rejects(upgrades.upgrade(again), { code: "unavailable", message: /no config/ });
      assert.ok(host.instance.discarded);
      assert.equal(await call(), "1: hello");
      await peer.context.streams.send(t.id, "s", { payload: hello });
      const chunk = "on-data-chunk data-chunk:s:0";
      await settledUntil(
        t.clock,
        "the chunk has come",
        () => host.instances[0]?.entered.at(-1) === chunk,
      );
      host.onLoad = async () => {
        throw guestFault("load_failed", "no recognised world");
      };
      await assert.rejects(upgrades.upgrade(again), { code: "config", message: /no recognised/ });
      assert.equal(await call(), "1: hello");
      await assert.rejects(upgrades.rollback(), { code: "not_found" });
      assert.equal(t.node.phase, "running");
    },
  );

  it(
    "is refused for another actor, and while one goes on; a request that does not end is given up with it",
    limit,
    async () => {
      await using world = await upgradable();
      const { t, call, upgrades, waiting } = world;
      const other = verified({ name: "other" });
      await assert.rejects(upgrades.upgrade(other), {
        code: "config",
        message: /acme:other:1.0.0/,
      });
      await assert.rejects(upgrades.upgrade(verified({ manufacturer: "evil" })), {
        code: "config",
        message: /evil:echo:1.0.0/,
      });
      const held = call("held").catch(({ code }: ActrError) => code);
      await settledUntil(t.clock, "the request is held", () => waiting.length === 1);
      const leave = new AbortController();
      const upgrade = upgrades.upgrade(again, { signal: leave.signal });
      await t.clock.settle();
      await assert.rejects(upgrades.upgrade(again), { code: "unavailable", message: /goes on/ });
      leave.abort(new ActrError("stopping", "enough"));
      await assert.rejects(upgrade, { code: "stopping" });
      world.end();
      assert.equal(await held, "1: hello");
      assert.equal(await call(), "1: hello");
    },
  );
});

describe("an upgrade that waits for a request", () => {
  it("lets in what that request waits for", limit, async () => {
    const going: (() => void)[] = [];
    const script = routes({
      outer: async ({ ask, payload }) => {
        await new Promise<void>((resolve) => going.push(resolve));
        const target = { kind: "workload" } as const;
        return ok(shown(await ask({ name: "call", target, routeKey: "inner", payload })));
      },
      inner: () => ok("let in"),
    });
    const reentrant = { reentrant: true };
    const methods = { outer: { conflictKey: { sender: true } }, inner: reentrant } as const;
    await using t = await guestNode(script, { guest: { methods } });
    const peer = await t.peer();
    const outer = peer.context.call(t.id, "outer", hello);
    await settledUntil(t.clock, "the request runs", () => going.length === 1);
    const upgrade = t.node.upgrades?.upgrade(again);
    await t.clock.settle();
    for (const go of going) go();
    assert.equal(text(await outer), "let in");
    await upgrade;
  });

  it("can be taken back although it could not be written down", limit, async () => {
    await using world = await upgradable();
    const { t, call, upgrades } = world;
    const full = mock.method(t.node.presence, "restate", async () => {
      throw new ActrError("storage", "the disk is full");
    });
    await assert.rejects(upgrades.upgrade(again), { code: "storage" });
    full.mock.restore();
    assert.equal(await call(), "2: hello");
    await upgrades.rollback();
    assert.equal(await call(), "3: hello");
    assert.notEqual(t.node.guest?.package, again);
  });

  it("is given up when it takes too long, and what runs goes on", limit, async () => {
    const options = { lifecycle: { startTimeoutMs: 5_000 } };
    await using world = await upgradable(undefined, { options });
    const { t, call, upgrades, waiting, host } = world;
    const held = call("held");
    await settledUntil(t.clock, "the request is held", () => waiting.length === 1);
    const failed = assert.rejects(upgrades.upgrade(again), { code: "timed_out" });
    await settledUntil(t.clock, "the other is loaded", () => host.instances.length === 2);
    await t.clock.advance(5_000);
    await failed;
    assert.equal(host.instance.discarded, true);
    world.end();
    assert.equal(await held, "1: hello");
    assert.equal(await call(), "1: hello");
  });
});

describe("an upgrade of a node that stops", () => {
  it("is given up, whatever it was doing, and both guests are discarded", limit, async () => {
    const begun: (() => void)[] = [];
    const world = await upgradable((number) =>
      number === 2 ? new Promise((resolve) => begun.push(() => resolve(ok("")))) : undefined,
    );
    const { t, upgrades, host } = world;
    const failed = assert.rejects(upgrades.upgrade(again), { code: "stopping" });
    await settledUntil(t.clock, "the other begins", () => begun.length === 1);
    const stopped = world[Symbol.asyncDispose]();
    await settledUntil(t.clock, "the node stops", () => t.context.signal.aborted);
    for (const begin of begun) begin();
    await stopped;
    await failed;
    assert.deepEqual(
      host.instances.map(({ discarded }) => discarded),
      [true, true],
    );
    assert.equal(host.disposed, 2);
  });
});

describe("an upgrade to another version", () => {
  const next = verified({ version: "2.0.0" });

  it(
    "[GD-27] answers what it had accepted, then is found and called under its new type",
    limit,
    async () => {
      await using world = await upgradable();
      const { t, call, peer, upgrades, waiting } = world;
      const before = t.id;
      const [first, second] = [call("held"), call()];
      await settledUntil(t.clock, "the request is held", () => waiting.length === 1);
      const upgrade = upgrades.upgrade(next);
      await t.clock.settle();
      world.end();
      assert.deepEqual([await first, await second], ["1: hello", "1: hello"]);
      await t.clock.through(upgrade);
      assert.equal(t.id.type.version, "2.0.0");
      assert.notEqual(t.id.serial, before.serial);
      const [found] = await peer.context.discover("acme:echo:2.0.0");
      assert.ok(found);
      assert.equal(await call("r", found), "2: hello");
      await assert.rejects(peer.context.discover("acme:echo:1.0.0"), { code: "not_found" });
      await t.clock.through(upgrades.rollback());
      const [back] = await peer.context.discover("acme:echo:1.0.0");
      assert.ok(back);
      assert.equal(await call("r", back), "3: hello");
    },
  );

  it(
    "refuses what comes meanwhile with a hint, and goes back to who it was when the other does not begin",
    limit,
    async () => {
      await using world = await upgradable((number) =>
        number === 2 ? { error: { code: "invalid_argument", message: "not me" } } : undefined,
      );
      const { t, call, peer, upgrades, waiting } = world;
      const held = call("held");
      await settledUntil(t.clock, "the request is held", () => waiting.length === 1);
      const drains = mock.method(t.node.inbound, "settled");
      const failed = assert.rejects(upgrades.upgrade(next), { code: "invalid_argument" });
      await settledUntil(t.clock, "the node drains", () => drains.mock.callCount() === 1);
      const refused = peer.context.call(t.id, "r", hello, { timeoutMs: 400 });
      await assert.rejects(t.clock.through(refused), { code: "unavailable", retryAfterMs: 1_000 });
      world.end();
      assert.equal(await held, "1: hello");
      await t.clock.through(failed);
      assert.equal(t.id.type.version, "1.0.0");
      const [found] = await peer.context.discover("acme:echo:1.0.0");
      assert.ok(found);
      assert.equal(await t.clock.through(call("r", found)), "1: hello");
    },
  );

  it("is not begun where the identity service refuses it", limit, async () => {
    const host = new FakeGuestHost(echo);
    const refusing = verified({ version: "" });
    await using t = await guestNode(echo, { host });
    await assert.rejects(Promise.resolve(t.node.upgrades?.upgrade(refusing)), { code: "config" });
    assert.ok(host.instance.discarded);
    assert.equal(t.id.type.version, "1.0.0");
  });
});
