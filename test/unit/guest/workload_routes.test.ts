import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { Context } from "../../../src/context.ts";
import { ActrError } from "../../../src/errors.ts";
import { GuestQuota } from "../../../src/guest/life/quota.ts";
import { hookEntries } from "../../../src/guest/workload/entries.ts";
import { GuestRoutes } from "../../../src/guest/workload/guest_routes.ts";
import { GuestWorkload } from "../../../src/guest/workload/guest_workload.ts";
import type { GuestMethodOptions } from "../../../src/guest.ts";
import type { ErrorEvent } from "../../../src/hooks.ts";
import type { Request } from "../../../src/inbound/route.ts";
import type { EntryOutcome } from "../../../src/ports/guest_host.ts";
import { type Entered, FakeGuestHost } from "../../fixtures/fake_guest_host.ts";
import { callerId, selfId } from "../../fixtures/guest_world.ts";
import { RecordingLogger } from "../identity/support.ts";
import { verified } from "./workload_support.ts";

const payload = new Uint8Array();

function routesOf(methods: Record<string, GuestMethodOptions>): GuestRoutes {
  const handles = [() => payload, () => payload] as const;
  return new GuestRoutes(methods, (overlaps) => handles[overlaps ? 1 : 0], { realm: 1 });
}

describe("routes of a guest", () => {
  it("are in it together with others where a key or re-entrance says so", () => {
    const routes = routesOf({
      keyed: { conflictKey: { sender: true } },
      reentrant: { reentrant: true },
      durable: { durable: true },
    });
    const alone = routes.get("unnamed").handle;
    const isTogether = (key: string): boolean => routes.get(key).handle !== alone;
    assert.deepEqual(["keyed", "reentrant", "durable"].map(isTogether), [true, true, false]);
    assert.deepEqual(
      ["keyed", "durable", "unnamed"].map((key) => routes.get(key).durable),
      [false, true, false],
    );
  });

  it("wait for each other by sender within their domain, which is their own if none is named", () => {
    const routes = routesOf({
      one: { conflictKey: { sender: true } },
      two: { conflictKey: { sender: true } },
      three: { conflictKey: { sender: true, domain: "two" } },
    });
    const keyOf = (key: string, caller: string): string | undefined =>
      routes.get(key).keyOf?.(payload, caller);
    assert.notEqual(keyOf("one", "a"), keyOf("two", "a"));
    assert.equal(keyOf("three", "a"), keyOf("two", "a"));
    assert.notEqual(keyOf("one", "a"), keyOf("one", "b"));
  });

  it("have rules where some are given for them", () => {
    const deny = { type: "acme:other:1.0.0", permission: "deny" } as const;
    const routes = routesOf({ closed: { acl: [deny] }, open: {} });
    assert.deepEqual(
      routes.get("closed").rules?.map(({ permission }) => permission),
      ["deny"],
    );
    assert.equal(routes.get("open").rules, undefined);
  });
});

describe("a request of a guest", () => {
  it("is waited for as long as its caller waits, or, from the disk, as long as it takes", async () => {
    const target = { kind: "host" } as const;
    const script = async ({ call, invocation: { token } }: Entered): Promise<EntryOutcome> => {
      await call({ name: "call", token, target, routeKey: "r", payload });
      return { ok: payload };
    };
    const timeouts: unknown[] = [];
    const call = async (...all: unknown[]): Promise<Uint8Array> => {
      timeouts.push(all.at(-1));
      return payload;
    };
    const context = { selfId, callerId, requestId: "r", call } as unknown as Context;
    const clock = new FakeClock();
    const log = new RecordingLogger();
    const place = { quota: new GuestQuota(), host: () => new FakeGuestHost(script) };
    const parts = { clock, log, context: () => context, ...place };
    const workload = new GuestWorkload({ package: verified() }, parts, { realm: 1 });
    await workload.load(new AbortController().signal);
    const envelope = { requestId: "r", routeKey: "r", metadata: [], timeoutMs: 700 };
    const arrivedAt = clock.monotonic();
    for (const row of [undefined, {}]) {
      const message = { envelope, arrivedAt, row } as unknown as Request["message"];
      const request = { message, report() {} };
      await workload.routes.get("r").handle(payload, context, {} as never, request);
    }
    assert.deepEqual(timeouts, [{ timeoutMs: 700 }, { timeoutMs: 30_000 }]);
    await workload.close();
  });
});

describe("errors that a guest is told", () => {
  it("have the categories of its world", () => {
    const error = new ActrError("internal", "");
    const categories = [
      ["handler_error", "handler-error"],
      ["handler_crash", "handler-panic"],
      ["dead_letter", "handler-error"],
      ["signaling_failure", "signaling-failure"],
      ["transport_failure", "transport-failure"],
      ["delivery_uncertain", "data-chunk-delivery-uncertain"],
    ] as const satisfies [ErrorEvent["category"], string][];
    for (const [category, expected] of categories) {
      const told = hookEntries.onError({ error, category, context: "", at: 1_500, facts: {} });
      assert.ok(told.name === "on-error");
      assert.equal(told.event.category, expected);
      assert.deepEqual(told.event.timestamp, { seconds: 1n, nanoseconds: 500_000_000 });
    }
  });
});
