import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServiceAvailabilityState } from "../../../src/protocol/schema.ts";
import { Heartbeat } from "../../../src/signaling/heartbeat.ts";
import { type NodeLoad, reportLoad } from "../../../src/signaling/node_load.ts";
import { issued } from "../identity/support.ts";
import { connected, type Payload } from "./support.ts";

/** A heartbeat that has started on an open connection. */
async function beating(load: () => NodeLoad = () => ({ backlog: 0 })) {
  const parts = await connected();
  const { clock, log, session, client, credentials } = parts;
  const heartbeat = new Heartbeat({
    clock,
    log,
    session,
    signaling: client,
    credentials,
    load,
  });
  heartbeat.start();
  const stop = async (): Promise<void> => {
    heartbeat.close();
    await client.close();
    assert.equal(clock.pending, 0);
  };
  return { ...parts, heartbeat, stop };
}

interface PongFields {
  readonly suggestIntervalSecs?: number;
  readonly credentialWarning?: { readonly type: 0; readonly message: string };
}
const pong = (fields: PongFields = {}): Payload => ({
  case: "pong",
  value: { seq: 1n, ...fields },
});
const warning = { type: 0, message: "soon" } as const;

describe("Heartbeat", () => {
  it("beats at once and then at every interval", async () => {
    const { socket, clock, stop } = await beating();
    assert.equal(socket.sent.length, 1);
    socket.answer(pong());
    await clock.advance(29_999);
    assert.equal(socket.sent.length, 1);
    await clock.advance(1);
    assert.equal(socket.sent.length, 2);
    await stop();
  });

  it("[N-138] connects again before it beats when the connection is gone at a tick", async () => {
    const { socket, clock, attempts, accept, stop, refuse } = await beating();
    socket.answer(pong());
    await clock.advance(10_000);
    socket.drop(1006);
    await clock.settle();
    for (let failures = 1; failures <= 9; failures++) {
      await refuse(new Error("down"));
      const before = attempts.length;
      await clock.advance(30_000);
      // From the seventh failure on the pause alone would last 42 s or more.
      assert.ok(attempts.length > before, `after ${failures} failures`);
    }
    const next = await accept();
    assert.deepEqual(
      next.requests.map((request) => request.case),
      ["ping"],
    );
    await stop();
  });

  it("beats at once after a reconnect", async () => {
    const { socket, clock, accept, stop } = await beating();
    socket.answer(pong());
    await clock.advance(6_000);
    socket.drop(1006);
    await clock.settle();
    const next = await accept();
    assert.equal(next.sent.length, 1);
    await stop();
  });

  it("[ND-46] waits 40 % of the interval for the answer, 1 s at least", async () => {
    const { socket, clock, session, log, stop } = await beating();
    await clock.advance(11_999);
    assert.deepEqual(log.levels("signaling.heartbeat.failed"), []);
    await clock.advance(1);
    assert.deepEqual(log.levels("signaling.heartbeat.failed"), ["warn"]);
    session.update({ ...issued(1n, clock.now()), heartbeatIntervalMs: 1_000 });
    await clock.advance(18_000);
    assert.equal(socket.sent.length, 2);
    await clock.advance(999);
    assert.equal(log.levels("signaling.heartbeat.failed").length, 1);
    await clock.advance(1);
    assert.equal(log.levels("signaling.heartbeat.failed").length, 2);
    await stop();
  });

  it("[ND-46] makes up for no tick that a stalled process missed", async () => {
    const { socket, clock, session, stop } = await beating();
    socket.answer(pong());
    const timer = clock.timer.bind(clock);
    // The tick that is armed now, by a beat 30 s from now, comes 95 s late.
    await clock.advance(29_999);
    clock.timer = (atMs, fn) => timer(atMs === clock.now() + 30_000 ? atMs + 95_000 : atMs, fn);
    await clock.advance(1);
    clock.timer = timer;
    socket.answer(pong());
    await clock.advance(125_000);
    assert.equal(socket.sent.length, 3);
    await clock.advance(session.current.heartbeatIntervalMs - 1);
    assert.equal(socket.sent.length, 3);
    await clock.advance(1);
    assert.equal(socket.sent.length, 4);
    await stop();
  });

  it("[ND-46] follows the interval that the server suggests, within bounds", async () => {
    const { socket, clock, stop } = await beating();
    socket.answer(pong({ suggestIntervalSecs: 10 }));
    await clock.advance(10_000);
    assert.equal(socket.sent.length, 2);
    socket.answer(pong({ suggestIntervalSecs: 4_000_000 }));
    await clock.advance(299_999);
    assert.equal(socket.sent.length, 2);
    await clock.advance(1);
    assert.equal(socket.sent.length, 3);
    await stop();
  });

  it("[N-140] tells of a credential warning", async () => {
    const { socket, credentials, stop, clock } = await beating();
    socket.answer(pong({ credentialWarning: warning }));
    await clock.settle();
    assert.equal(credentials.warnings, 1);
    await stop();
  });

  it("[N-139] tells of a 401", async () => {
    const { socket, credentials, session, stop, clock } = await beating();
    socket.answer({ case: "error", value: { code: 401, message: "Token has expired" } });
    await clock.settle();
    assert.deepEqual(credentials.refusals, [session.current]);
    await stop();
  });

  it("logs the first and every twelfth failure aloud, and the recovery", async () => {
    const { socket, clock, log, stop } = await beating();
    const fail = { case: "error", value: { code: 500, message: "no" } } as const;
    for (let beat = 0; beat < 13; beat++) {
      socket.answer(fail);
      await clock.advance(30_000);
    }
    socket.answer(pong());
    await clock.settle();
    const levels = log.levels("signaling.heartbeat.failed");
    assert.deepEqual(
      levels.map((level) => level === "warn"),
      levels.map((_, index) => index % 12 === 0),
    );
    assert.equal(levels.length, 13);
    assert.deepEqual(log.levels("signaling.heartbeat.recovered"), ["info"]);
    await stop();
  });

  it("[ND-46] reports a load that cannot be had as idle", async () => {
    const { socket, stop } = await beating(() => {
      throw new Error("no load");
    });
    const request = socket.requests[0];
    assert.ok(request?.case === "ping");
    assert.deepEqual(
      [request.value.availability, request.value.powerReserve, request.value.mailboxBacklog],
      [ServiceAvailabilityState.FULL, 5, 0],
    );
    await stop();
  });

  it("beats no more once closed", async () => {
    const { socket, clock, client, heartbeat } = await beating();
    heartbeat.close();
    socket.answer(pong());
    await clock.advance(60_000);
    assert.equal(socket.sent.length, 1);
    await client.close();
    assert.equal(clock.pending, 0);
  });
});

describe("reported load", () => {
  it("is graded by power and backlog", () => {
    const grade = (powerReserve: number, backlog: number) =>
      reportLoad({ powerReserve, backlog }).availability;
    assert.deepEqual(
      [
        grade(4.3, 0.4),
        grade(4.2, 0.4),
        grade(5, 0.5),
        grade(3, 0.1),
        grade(5, 0.8),
        grade(1.8, 0),
        grade(5, 0.95),
      ],
      [0, 1, 1, 2, 2, 3, 3],
    );
  });

  it("is brought into range", () => {
    const { powerReserve, mailboxBacklog } = reportLoad({ powerReserve: 9, backlog: Number.NaN });
    assert.deepEqual([powerReserve, mailboxBacklog], [5, 0]);
  });
});
