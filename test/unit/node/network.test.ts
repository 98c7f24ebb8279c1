import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import {
  type NetworkAction,
  type NetworkEvent,
  reduceNetworkEvents,
} from "../../../src/node/network_event.ts";
import { NetworkEvents } from "../../../src/node/network_events.ts";
import { resolveNodeOptions } from "../../../src/options.ts";
import {
  available,
  background,
  cleanup,
  force,
  foreground,
  networked,
  unavailable,
  unknown,
} from "./network_support.ts";

const settleMs = 400;
const stopping = new ActrError("stopping", "the node stops");
const down = new ActrError("unavailable", "nobody there");

describe("network events: reduction", () => {
  const wifi = available(2, { transports: ["wifi"] });
  const expensive = available(2, { transports: ["cellular"], expensive: true, constrained: true });
  const rows: readonly (readonly [string, readonly NetworkEvent[], NetworkAction])[] = [
    ["nothing", [], "noop"],
    ["available", [available()], "restore"],
    ["wifi", [wifi], "restore"],
    ["cellular", [available(1, { transports: ["cellular"] })], "restore"],
    ["vpn", [available(1, { transports: ["vpn"] })], "restore"],
    ["another transport", [available(1, { transports: ["other"] })], "restore"],
    ["expensive and constrained", [expensive], "restore"],
    ["unavailable", [unavailable()], "offline"],
    ["cleanup, then available", [cleanup, available(), force], "cleanup"],
    ["available, then cleanup", [available(), unavailable(2), cleanup], "cleanup"],
    ["terminating", [{ kind: "cleanup", reason: "app_terminating" }], "cleanup"],
    ["off, then on", [unavailable(1), available(2)], "restore"],
    ["on, then off", [available(1), unavailable(2)], "offline"],
    ["off, on, off", [unavailable(1), available(2), unavailable(3)], "offline"],
    ["background", [background], "noop"],
    ["short foreground", [foreground(5)], "probe"],
    ["just short of a long foreground", [foreground(29.999)], "probe"],
    ["unknown", [unknown()], "probe"],
    ["short foreground, then available", [foreground(5), available(), wifi], "restore"],
    ["long foreground", [foreground(60)], "reconnect"],
    ["30 s exactly", [foreground(30)], "reconnect"],
    ["long foreground and online", [foreground(60), available(), wifi], "reconnect"],
    ["force and online", [force, available()], "reconnect"],
    ["force and offline", [force, unavailable()], "offline"],
    ["long foreground and offline", [foreground(60), unavailable()], "offline"],
    ["an older snapshot after a newer", [available(2), unavailable(1)], "restore"],
    ["an equal snapshot after another", [available(1), unavailable(1)], "offline"],
  ];
  for (const [name, events, action] of rows) {
    it(`[N-147] [T-75] ${name}: ${action}`, () => {
      assert.equal(reduceNetworkEvents(events), action);
    });
  }
});

describe("network events: actions", () => {
  it("[N-148] [T-76] ten times available: ten results, one probe, no reconnect", async () => {
    const t = await networked();
    const reports = Array.from({ length: 10 }, (_, index) => t.network.report(available(index)));
    await t.clock.advance(settleMs);
    const results = await Promise.all(reports);
    assert.ok(results.every(({ success, action }) => success && action === "restore"));
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [1, 0, 0]);
    await t.stop();
  });

  it("[N-148] [T-76] ten times unavailable: ten results, one disconnect", async () => {
    const t = await networked();
    const reports = Array.from({ length: 10 }, (_, index) => t.network.report(unavailable(index)));
    await t.clock.advance(settleMs);
    assert.equal((await Promise.all(reports)).length, 10);
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [0, 0, 1]);
    assert.deepEqual(t.done, ["guard"]);
    await t.clock.advance(600_000);
    assert.equal(t.connects(), 0, "stays away until it is told to come back");
    await t.stop();
  });

  it("[N-149] [T-77] available while connected probes, and replaces what does not answer once", async () => {
    const t = await networked();
    const healthy = t.network.report(available(1));
    await t.clock.advance(settleMs);
    assert.equal((await healthy).success, true);
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [1, 0, 0]);
    t.server.answers = false;
    const silent = t.network.report(available(2));
    await t.clock.advance(settleMs + 1_000);
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [2, 1, 1]);
    await t.accept();
    assert.equal((await silent).success, true);
    assert.equal(t.connects(), 1);
    await t.stop();
  });

  it("[N-149] [T-77] available while disconnected connects at once, without a probe", async () => {
    const t = await networked();
    await t.clock.advance(6_000);
    t.socket.drop(1006);
    await t.clock.settle();
    for (let failures = 0; failures < 5; failures++) {
      await t.refuse(down);
      if (failures < 4) await t.clock.advance(30_000);
    }
    const before = t.connects();
    const restored = t.network.report(available());
    await t.clock.advance(settleMs);
    assert.equal(t.connects(), before + 1);
    await t.accept();
    assert.equal((await restored).success, true);
    assert.equal(t.probes(), 0);
    await t.stop();
  });

  it("[T-77] a short foreground probes, and restores what does not answer", async () => {
    const t = await networked();
    t.server.answers = false;
    const result = t.network.report(foreground(5));
    await t.clock.advance(settleMs + 1_000);
    await t.accept();
    assert.equal((await result).action, "probe");
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [1, 1, 1]);
    assert.deepEqual(t.done, ["recover"]);
    await t.stop();
  });

  it("[N-150] [T-80] a cleanup disconnects once, and neither probes nor connects", async () => {
    const t = await networked();
    const reports = [t.network.report(cleanup), t.network.report(available())];
    await t.clock.advance(settleMs);
    for (const { action, success } of await Promise.all(reports)) {
      assert.deepEqual([action, success], ["cleanup", true]);
    }
    await t.clock.advance(settleMs);
    const again = t.network.report(cleanup);
    await t.clock.advance(600_000);
    assert.equal((await again).success, true);
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [0, 0, 1]);
    assert.equal(t.done[0], "fail");
    await t.stop();
  });

  it("ends every connection before it connects anew when it is forced to", async () => {
    const t = await networked();
    const result = t.network.report(force);
    await t.clock.advance(settleMs);
    assert.deepEqual([t.connects(), t.disconnects()], [1, 1]);
    assert.deepEqual(t.done, ["reset", "reset", "recover"]);
    await t.accept();
    assert.deepEqual([(await result).action, t.probes()], ["reconnect", 0]);
    await t.stop();
  });

  it("tells within 5 s that signaling cannot be reached", async () => {
    const t = await networked();
    const results = [t.network.report(force), t.network.report(available())];
    await t.clock.advance(settleMs);
    await t.refuse(down);
    for (const { success, error, durationMs } of await Promise.all(results)) {
      assert.deepEqual([success, error?.code, durationMs], [false, "unavailable", settleMs]);
    }
    // An attempt that hangs is not waited for without end either.
    const hanging = t.network.report(force);
    await t.clock.advance(5_000);
    const { success, error } = await hanging;
    assert.deepEqual([success, error?.code], [false, "timed_out"]);
    await t.stop();
  });
});

describe("network events: batches", () => {
  it("[T-77] available again within the window of 500 ms does nothing more; after 600 ms it probes again", async () => {
    const t = await networked({ settleMs: 500 });
    const reports = [t.network.report(available(1))];
    await t.clock.advance(450);
    reports.push(t.network.report(available(2)));
    await t.clock.advance(50);
    await Promise.all(reports);
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [1, 0, 0]);
    await t.clock.advance(100);
    assert.equal(t.probes(), 1);
    const later = t.network.report(available(3));
    await t.clock.advance(500);
    assert.equal((await later).success, true);
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [2, 0, 0]);
    await t.stop();
  });

  it("[T-78] one kind of event holds no other back: lost right after available is done, another network is probed too", async () => {
    const t = await networked();
    const act = async (event: NetworkEvent): Promise<NetworkAction> => {
      const result = t.network.report(event);
      await t.clock.advance(settleMs);
      return (await result).action;
    };
    assert.equal(await act(available(1, { transports: ["wifi"] })), "restore");
    assert.equal(await act(available(2, { transports: ["cellular"] })), "restore");
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [2, 0, 0]);
    assert.equal(await act(available(3)), "restore");
    assert.equal(await act(unavailable(4)), "offline");
    assert.deepEqual([t.probes(), t.connects(), t.disconnects()], [3, 0, 1]);
    await t.stop();
  });

  it("[N-151] [T-79] events of one settle window lead to one action; each caller gets its own", async () => {
    const t = await networked();
    const events = [unavailable(1), available(2), available(3, { transports: ["wifi"] })];
    const reports: Promise<unknown>[] = [];
    for (const event of events) {
      reports.push(t.network.report(event).then((result) => assert.equal(result.event, event)));
      await t.clock.advance(20);
    }
    assert.equal(t.probes(), 0);
    await t.clock.advance(settleMs - 61);
    assert.equal(t.probes(), 0, "the window is counted from the first event");
    await t.clock.advance(1);
    await Promise.all(reports);
    assert.deepEqual([t.probes(), t.disconnects()], [1, 0]);
    await t.stop();
  });

  it("an event that comes while an action runs opens a window of its own", async () => {
    const t = await networked();
    t.server.answers = false;
    const first = t.network.report(available(1));
    await t.clock.advance(settleMs + 500);
    const second = t.network.report(unavailable(2));
    await t.clock.advance(500);
    await t.accept();
    assert.equal((await first).action, "restore");
    await t.clock.advance(settleMs);
    assert.equal((await second).action, "offline");
    await t.stop();
  });

  it("[N-152] what was told before the start is done at the start", async () => {
    const t = await networked();
    const network = new NetworkEvents();
    const early = network.report(available());
    const excess = Array.from({ length: 101 }, () => network.report(background));
    await assert.rejects(excess.at(-1) ?? early, { code: "overloaded" });
    network.attach((report) => t.reconciler.take(report));
    await t.clock.advance(settleMs);
    assert.equal((await early).action, "restore");
    assert.equal(t.probes(), 1);
    await t.stop();
  });

  it("[N-152] [T-81] fails at once after the end, also what waits in a settle window", async () => {
    const t = await networked();
    const waiting = assert.rejects(t.network.report(available()), { code: "stopping" });
    await t.clock.advance(settleMs / 2);
    const before = t.clock.now();
    t.network.close(stopping);
    await t.reconciler.close(stopping);
    await waiting;
    await assert.rejects(t.network.report(available()), { code: "stopping" });
    assert.equal(t.clock.now(), before);
    assert.equal(t.barrier.up, false);
    await t.stop();
  });

  it("ends an action that runs when it is closed", async () => {
    const t = await networked();
    t.server.answers = false;
    const result = t.network.report(available());
    await t.clock.advance(settleMs + 100);
    await t.reconciler.close(stopping);
    assert.equal((await result).error?.code, "stopping");
    assert.equal(t.barrier.up, false);
    await t.clock.advance(10_000);
    await t.stop();
  });

  it("[N-153] [T-81] a result is waited for within its time; who does not wait disturbs nobody", async () => {
    const t = await networked({ resultTimeoutMs: 100 });
    const late = assert.rejects(t.network.report(available()), { code: "timed_out" });
    await t.clock.advance(100);
    await late;
    await t.clock.advance(settleMs);
    assert.equal(t.probes(), 1, "the action is done all the same");
    await t.stop();
    const u = await networked();
    void u.network.report(available());
    const [one, other] = [background, unknown(7)] as const;
    const results = Promise.all([u.network.report(one), u.network.report(other)]);
    await u.clock.advance(settleMs);
    assert.deepEqual(
      (await results).map(({ event }) => event),
      [one, other],
    );
    await u.stop();
  });

  it("refuses what is too much, and numbers that make no sense", async () => {
    const t = await networked({ maxEvents: 2 });
    void t.network.report(background);
    void t.network.report(background);
    await assert.rejects(t.network.report(background), { code: "overloaded" });
    assert.throws(() => t.network.report(available(-1)), RangeError);
    assert.throws(() => t.network.report(foreground(Number.NaN)), RangeError);
    await t.clock.advance(settleMs);
    await t.stop();
  });

  it("[ND-51] has the settle window as its only setting of time between actions", async () => {
    const t = await networked({ settleMs: 50 });
    for (const round of [1, 2, 3]) {
      const result = t.network.report(available(round));
      await t.clock.advance(50);
      assert.equal((await result).durationMs, 50);
      assert.equal(t.probes(), round, "the next batch is not held back");
    }
    await t.stop();
    assert.throws(() => resolveNodeOptions({ network: { settleMs: 0 } }), { code: "config" });
  });
});

describe("network events: barrier", () => {
  const raising = [unavailable(), available(), foreground(60), cleanup, force];
  const others = [unknown(), background, foreground(5)];
  for (const [events, up] of [
    [raising, true],
    [others, false],
  ] as const) {
    for (const event of events) {
      const name = "availability" in event ? event.availability : JSON.stringify(event);
      it(`[N-154] is ${up ? "up" : "down"} at once after ${name}`, async () => {
        const t = await networked();
        const result = t.network.report(event);
        assert.equal(t.barrier.up, up);
        await t.clock.advance(settleMs);
        if (t.connects() > 0) await t.accept();
        await result;
        assert.equal(t.barrier.up, false, "down when the action is done");
        await t.stop();
      });
    }
  }

  it("[N-154] a long foreground keeps signaling from coming back by itself, a force brings it back", async () => {
    const t = await networked();
    await t.clock.advance(6_000);
    const result = t.network.report(foreground(60));
    t.socket.drop(1006);
    await t.clock.advance(settleMs - 1);
    assert.equal(t.connects(), 0, "without the event it would have come back at once");
    void t.network.report(force);
    await t.clock.advance(1);
    assert.equal(t.connects(), 1);
    await t.accept();
    assert.equal((await result).success, true);
    assert.equal(t.client.connected, true);
    await t.stop();
  });

  for (const event of [available(), force]) {
    it(`[N-154] after a failed ${event.kind === "path" ? "restore" : "force"} it comes back by itself, with the pauses starting over`, async () => {
      const t = await networked();
      await t.clock.advance(6_000);
      t.socket.drop(1006);
      await t.clock.settle();
      for (let failures = 0; failures < 6; failures++) {
        await t.refuse(down);
        if (failures < 5) await t.clock.advance(45_000);
      }
      const before = t.connects();
      const failed = t.network.report(event);
      await t.clock.advance(settleMs);
      assert.equal(t.connects(), before + 1);
      await t.refuse(down);
      assert.equal((await failed).success, false);
      // The first pause is 1 s ± 30 %; the seventh would have been 32 s at least.
      await t.clock.advance(1_300);
      assert.equal(t.connects(), before + 2);
      await t.stop();
    });
  }
});
