import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineNode, formatActrType } from "@roost/edge";
import { testNode } from "@roost/edge/testing";
import { guestFault } from "../../../src/guest/fault.ts";
import type { BinaryKind } from "../../../src/guest/package/package_manifest.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { echo, FakeGuestHost } from "../../fixtures/fake_guest_host.ts";
import { guestNode, ok, routes, text, verified } from "./workload_support.ts";

const limit = { timeout: 60_000 };
const hello = utf8("hello");

describe("a guest in a node", () => {
  it("[G-55] is what its package says, and answers peers as services do", limit, async () => {
    await using t = await guestNode(echo);
    assert.equal(formatActrType(t.id.type), "acme:echo:1.0.0");
    const caller = await t.peer();
    const [found] = await caller.context.discover("acme:echo:1.0.0");
    assert.ok(found);
    const answer = await caller.context.call(found, "any.Route.at_all", hello);
    assert.equal(text(answer), "hello");
  });

  it("[GD-9] what it throws reaches its caller with its own case", limit, async () => {
    await using t = await guestNode(
      routes({
        denied: () => ({ error: { code: "permission_denied", message: "not you" } }),
        later: () => ({ error: { code: "connection_not_ready", message: "", retryAfterMs: 250 } }),
      }),
    );
    const caller = await t.peer();
    const call = (route: string) => caller.context.call(t.id, route, hello);
    await assert.rejects(call("nowhere"), { code: "unknown_route", wireCode: 10006 });
    await assert.rejects(call("denied"), { code: "permission_denied", message: /not you/ });
    await assert.rejects(t.clock.through(call("later")), {
      code: "connection_not_ready",
      retryAfterMs: 250,
    });
  });

  it(
    "[G-66] a trap fails its call; the next one is answered by a new instance",
    limit,
    async () => {
      const host = new FakeGuestHost(
        routes({
          trap: () => {
            throw guestFault("trapped", "unreachable");
          },
          echo: ({ payload }) => ({ ok: payload }),
        }),
      );
      await using t = await guestNode(host.script, { host });
      const caller = await t.peer();
      await assert.rejects(caller.context.call(t.id, "trap", hello), { code: "internal" });
      assert.equal(text(await caller.context.call(t.id, "echo", hello)), "hello");
      assert.equal(host.instances.length, 2);
      assert.deepEqual(host.instance.entered.slice(0, 1), ["on-start hook:on_start:rebuild"]);
    },
  );

  it("has to load before anybody hears of it", limit, async () => {
    const host = new FakeGuestHost();
    host.onLoad = async () => {
      throw guestFault("load_failed", "no recognised world");
    };
    await using other = await testNode(defineNode({}));
    const started = guestNode(echo, { host });
    await assert.rejects(started, { code: "config", message: /no recognised world/ });
    await assert.rejects(other.context.discover("acme:echo:1.0.0"), { code: "not_found" });
  });

  it(
    "[GD-25] [G-41] [G-42] [G-43] [G-44] runs scripts and components, and names what it does not run",
    limit,
    async () => {
      const of = (target: string, kind?: BinaryKind) =>
        guestNode(echo, {
          guest: {
            package: verified({
              binary: { path: "p", hash: "0", target, ...(kind && { kind }) },
            }),
          },
        });
      for (const target of ["wasm32-wasip2", "wasm32-unknown-unknown"]) {
        await using t = await of(target, "component");
        assert.equal(t.node.phase, "running");
        await assert.rejects(of(target), { code: "config", message: /core module.*wasm32-wasip2/ });
      }
      const refused = [
        ["wasm32-wasip2", "core-module", /core-module.*build it as a component/],
        ["x86_64-unknown-linux-gnu", undefined, /unsupported binary target x86_64.*native library/],
        ["x86_64-unknown-linux-gnu", "native-cdylib", /unsupported binary target.*native library/],
        ["aarch64-apple-darwin", undefined, /unsupported binary target aarch64.*native library/],
        ["wasm64", undefined, /unsupported binary target wasm64: .*nothing that is run here/],
      ] as const;
      for (const [target, kind, message] of refused) {
        await assert.rejects(of(target, kind), { code: "config", message });
      }
    },
  );

  it("is the node's one workload, and says what that is", limit, async () => {
    const init = { type: "acme:other:1.0.0" };
    await assert.rejects(guestNode(echo, { init }), { code: "config", message: /acme:echo:1.0.0/ });
    const app = defineNode({ guest: { package: verified() } });
    await assert.rejects(testNode(app), { code: "config", message: /nothing here runs guests/ });
  });

  it("is loaded, entered, told of the end and given up in this order", limit, async () => {
    const host = new FakeGuestHost();
    const t = await guestNode(echo, { host });
    const first = host.instance;
    await t[Symbol.asyncDispose]();
    const lives = first.entered.filter((each) => each.startsWith("on-s") && !each.includes("ing"));
    assert.deepEqual(
      first.entered.filter((each) => each.includes("lifecycle:")),
      ["on-start lifecycle:on_start", "on-ready lifecycle:on_ready", "on-stop lifecycle:on_stop"],
      lives.join(),
    );
    assert.ok(first.discarded);
    assert.equal(host.disposed, 1);
  });

  it(
    "[GD-14] is seen at /health and /metrics, and at /readyz when it fails again and again",
    limit,
    async () => {
      const script = routes({
        trap: () => {
          throw guestFault("trapped", "unreachable");
        },
      });
      const limits = { maxRebuildsPerMinute: 1 };
      await using t = await guestNode(script, { guest: { limits } });
      const caller = await t.peer();
      const call = () =>
        t.clock.through(caller.context.call(t.id, "trap", hello, { timeoutMs: 500 }));
      assert.equal((await t.fetch("/readyz")).status, 200);
      for (let round = 0; round < 2; round += 1) await assert.rejects(call(), { code: "internal" });
      await assert.rejects(call());
      const answer = await t.fetch("/readyz");
      assert.equal(answer.status, 503);
      assert.match(await answer.text(), /guest has failed too often, and is begun again in \d+ s/);
      const { guest } = await (await t.fetch("/health")).json();
      assert.equal(guest.package, "acme:echo:1.0.0");
      assert.deepEqual([guest.state, guest.faults.trapped, guest.rebuilds], ["refusing", 2, 1]);
      const metrics = await (await t.fetch("/metrics")).text();
      for (const line of ["up 0", 'faults_total{fault="trapped"} 2', "rebuilds_total 1"]) {
        assert.ok(metrics.includes(`roost_guest_${line}\n`), line);
      }
      await t.clock.advance(60_000);
      assert.equal((await t.fetch("/readyz")).status, 200);
      assert.equal((await t.fetch("/healthz")).status, 200);
    },
  );

  it("[G-83] does not start where its on-start fails, and says why", limit, async () => {
    const script = routes({ echo: () => ok("") });
    const failing = guestNode((entered) =>
      entered.entry.name === "on-start"
        ? { error: { code: "invalid_argument", message: "no configuration" } }
        : script(entered),
    );
    await assert.rejects(failing, { code: "invalid_argument", message: /no configuration/ });
  });
});
