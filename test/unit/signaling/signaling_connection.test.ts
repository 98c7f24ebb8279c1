import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { reconnectDelayMs } from "../../../src/identity/backoff.ts";
import { issued, never } from "../identity/support.ts";
import { type Attempt, connected, FakeSocket, setUp } from "./support.ts";

const down = new ActrError("unavailable", "nobody there");
const unauthorized = new ActrError("permission_denied", "401", { details: { status: 401 } });
const forbidden = new ActrError("permission_denied", "403", { details: { status: 403 } });

/** Advances to the next attempt; returns how long that took, milliseconds. */
async function toNextAttempt(clock: FakeClock, attempts: readonly Attempt[]): Promise<number> {
  const [start, before] = [clock.now(), attempts.length];
  while (attempts.length === before) {
    await clock.advance((clock.nextAt ?? assert.fail("no timer is set")) - clock.now());
  }
  return clock.now() - start;
}

describe("signaling connection", () => {
  it("[T-87] concurrent connects make one connection", async () => {
    const { client, attempts, accept, clock } = setUp();
    const all = Promise.all([1, 2, 3].map(() => client.connect({ signal: never })));
    await clock.settle();
    assert.equal(attempts.length, 1);
    await accept();
    await all;
    await client.connect({ signal: never });
    assert.equal(attempts.length, 1);
    assert.equal(client.connected, true);
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("shows the credential of the moment in the URL at each attempt", async () => {
    const { attempts, session, socket, clock, client } = await connected({ webrtcRole: "answer" });
    const query = attempts[0]?.url.searchParams;
    assert.deepEqual(
      [...(query?.keys() ?? [])],
      ["actor_id", "key_id", "claims", "signature", "webrtc_role"],
    );
    assert.equal(query?.get("actor_id"), "1@1001/acme:Echo:1.0.0");
    const renewed = issued(1n, clock.now());
    session.update({ ...renewed, credential: { ...renewed.credential, keyId: 9 } });
    assert.equal(attempts.length, 1, "a renewal alone does not reconnect");
    await clock.advance(5_000);
    socket.drop(1006);
    await clock.settle();
    assert.equal(attempts[1]?.url.searchParams.get("key_id"), "9");
    await client.close();
  });

  it("[T-87] comes back at once after a loss, then with growing pauses, again and again", async () => {
    const { attempts, clock, accept, refuse, client, events, socket } = await connected();
    await clock.advance(5_000);
    socket.drop(1001, "restart");
    await clock.settle();
    assert.equal(attempts.length, 2);
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60, 60, 120, 120]) {
      await refuse(down);
      const pauseMs = await toNextAttempt(clock, attempts);
      assert.ok(pauseMs >= seconds * 700 && pauseMs <= seconds * 1_300, `${seconds} s: ${pauseMs}`);
    }
    const second = await accept();
    assert.equal(client.connected, true);
    await clock.advance(5_000);
    second.drop(1006);
    await clock.settle();
    assert.equal(attempts.length, 14);
    assert.deepEqual(events.slice(0, 6), [
      "connecting 1",
      "connected",
      "disconnected closed with 1001 restart",
      "connecting 1",
      "connecting 2",
      "connecting 3",
    ]);
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("keeps every pause within its bounds", () => {
    const random = new SeededRandom(5);
    for (let failures = 1; failures < 500; failures++) {
      const ms = reconnectDelayMs(failures, random);
      assert.ok(ms >= 700 && ms <= 156_000, `${failures}: ${ms}`);
    }
  });

  it("does not call a server at once that hangs up at once", async () => {
    const { attempts, clock, client, socket } = await connected();
    socket.drop(1008, "displaced by new connection");
    await clock.advance(699);
    assert.equal(attempts.length, 1);
    await clock.advance(602);
    assert.equal(attempts.length, 2);
    await client.close();
  });

  it("can be woken from a pause, but not within 1 s of the last attempt", async () => {
    const { attempts, clock, refuse, client } = setUp();
    client.connect({ signal: never }).catch(() => {});
    for (let round = 0; round < 11; round++) {
      await refuse(down);
      await toNextAttempt(clock, attempts);
    }
    await refuse(down);
    const before = attempts.length;
    client.wake();
    await clock.settle();
    assert.equal(attempts.length, before);
    await clock.advance(1_000);
    client.wake();
    await clock.settle();
    assert.equal(attempts.length, before + 1);
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("gives an attempt up after 30 s", async () => {
    const { attempts, clock, client, log } = setUp();
    client.connect({ signal: never }).catch(() => {});
    await clock.advance(30_000);
    assert.equal(attempts[0]?.options.signal.aborted, true);
    assert.deepEqual(log.levels("signaling.connect.failed"), ["warn"]);
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("tells of a 401, and tries the new credential as soon as it is there, once", async () => {
    const { attempts, clock, refuse, client, credentials, session } = setUp();
    client.connect({ signal: never }).catch(() => {});
    await refuse(unauthorized);
    assert.deepEqual(credentials.refusals, [session.current]);
    assert.equal(attempts.length, 1);
    session.update(issued(1n, clock.now()));
    await clock.settle();
    assert.equal(attempts.length, 2);
    await refuse(unauthorized);
    session.update(issued(1n, clock.now()));
    await clock.settle();
    assert.equal(attempts.length, 2, "the second refusal in a row waits for its pause");
    await clock.advance(2_600);
    assert.equal(attempts.length, 3);
    await client.close();
  });

  it("does not doubt the credential at a 403", async () => {
    const { refuse, client, credentials } = setUp();
    client.connect({ signal: never }).catch(() => {});
    await refuse(forbidden);
    assert.deepEqual(credentials.refusals, []);
    await client.close();
  });

  it("doubts the credential after three failures where the runtime hides the status", async () => {
    const { clock, attempts, refuse, client, credentials } = setUp({}, { status: false });
    client.connect({ signal: never }).catch(() => {});
    for (const doubts of [0, 0, 1]) {
      await refuse(down);
      assert.equal(credentials.refusals.length, doubts);
      await toNextAttempt(clock, attempts);
    }
    await client.close();
  });

  it("[ND-42] takes a new identity to a new connection, and the session is active again", async () => {
    const { attempts, clock, accept, client, session, socket } = await connected();
    session.commit(issued(2n, clock.now()));
    await clock.settle();
    assert.equal(socket.ended, "1000 new identity");
    assert.equal(session.phase, "rebinding");
    assert.equal(attempts[1]?.url.searchParams.get("actor_id"), "2@1001/acme:Echo:1.0.0");
    await accept();
    assert.equal(session.phase, "active");
    await client.close();
  });

  it("drops a connection that opens for an identity that was replaced meanwhile", async () => {
    const { attempts, clock, accept, client, session } = setUp();
    const connecting = client.connect({ signal: never });
    await clock.settle();
    session.commit(issued(2n, clock.now()));
    const stale = await accept();
    assert.equal(stale.ended, "1006 terminated");
    assert.equal(attempts.length, 2);
    await accept();
    await connecting;
    await client.close();
  });

  it("[T-87] notices a silent loss within 15 s", async () => {
    const { clock, client, socket, attempts, events } = await connected();
    await clock.advance(60_000);
    assert.equal(socket.ended, undefined, "pings are answered");
    assert.equal(socket.pings, 12);
    await clock.advance(100);
    socket.answersPings = false;
    await clock.advance(14_900);
    assert.equal(socket.ended, "1006 terminated");
    assert.equal(events.at(-2), "disconnected nothing was heard for 10 s");
    assert.equal(attempts.length, 2);
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("takes silence for nothing where the runtime cannot ping", async () => {
    const { clock, client, socket } = await connected();
    socket.canPing = false;
    socket.answersPings = false;
    await clock.advance(60_000);
    assert.equal(socket.ended, undefined);
    await client.close();
  });

  it("closes in every state with nothing left, and rejects who waits", async () => {
    const states: [string, (parts: ReturnType<typeof setUp>) => Promise<unknown>][] = [
      ["never started", async () => {}],
      [
        "connecting",
        async ({ client, clock }) => {
          client.connect({ signal: never }).catch(() => {});
          await clock.settle();
        },
      ],
      [
        "pausing",
        async ({ client, refuse }) => {
          client.connect({ signal: never }).catch(() => {});
          await refuse(down);
        },
      ],
      [
        "connected",
        async ({ client, accept }) => {
          const connecting = client.connect({ signal: never });
          await accept();
          await connecting;
        },
      ],
    ];
    for (const [name, enter] of states) {
      const parts = setUp();
      await enter(parts);
      await parts.client.close();
      await parts.client.close();
      assert.equal(parts.clock.pending, 0, name);
      await assert.rejects(
        parts.client.connect({ signal: never }),
        (error: unknown) => ActrError.is(error) && error.code === "stopping",
        name,
      );
    }
  });

  it("leaves a server that does not take leave within 1 s", async () => {
    const { clock, client, socket } = await connected();
    socket.answersClose = false;
    const closing = client.close();
    await clock.advance(999);
    assert.equal(socket.ended, undefined);
    await clock.advance(1);
    await closing;
    assert.equal(socket.ended, "1006 terminated");
    assert.equal(clock.pending, 0);
  });

  it("lets one waiter go while the connecting goes on", async () => {
    const { client, accept } = setUp();
    const leaving = new AbortController();
    const left = assert.rejects(client.connect({ signal: leaving.signal }), /left/);
    leaving.abort(new Error("left"));
    await left;
    await accept();
    assert.equal(client.connected, true);
    await client.close();
  });

  it("terminates a socket that opens after the end", async () => {
    const { client, attempts, clock } = setUp();
    client.connect({ signal: never }).catch(() => {});
    await clock.settle();
    const socket = new FakeSocket();
    attempts[0]?.outcome.resolve(socket);
    await client.close();
    await clock.settle();
    assert.equal(socket.ended, "1006 terminated");
  });

  it("attempts nothing while it is held, gives the attempt up that runs, and connects when told to", async () => {
    const { client, attempts, refuse, accept, clock, events } = setUp();
    const connecting = client.connect({ signal: never });
    client.hold();
    await clock.advance(600_000);
    assert.equal(attempts.length, 1);
    assert.equal(attempts[0]?.options.signal.aborted, true);
    const failed = assert.rejects(client.attempt({ signal: never }), down);
    await clock.settle();
    assert.equal(attempts.length, 2);
    await refuse(down);
    await failed;
    await toNextAttempt(clock, attempts);
    await accept();
    await connecting;
    await client.attempt({ signal: never });
    assert.equal(attempts.length, 3, "nothing to do when connected");
    assert.deepEqual(events, ["connecting 1", "connecting 1", "connecting 2", "connected"]);
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("stays away after a disconnect, also when its identity changes or a heartbeat wakes it", async () => {
    const { client, attempts, session, accept, clock, socket } = await connected();
    const gone = client.disconnect("offline");
    assert.equal(socket.ended, "1000 offline");
    await gone;
    session.commit(issued(2n, clock.now()));
    await clock.advance(60_000);
    client.wake();
    await clock.advance(60_000);
    assert.equal(attempts.length, 1);
    assert.equal(session.phase, "rebinding");
    const back = client.attempt({ signal: never });
    await clock.settle();
    await accept();
    await back;
    assert.equal(session.phase, "active");
    await client.close();
    assert.equal(clock.pending, 0);
  });

  it("does not wait for an attempt that hangs when it is told to connect", async () => {
    const { client, attempts, accept, clock } = setUp();
    const connecting = client.connect({ signal: never });
    await clock.advance(10_000);
    const now = client.attempt({ signal: never });
    await clock.settle();
    assert.equal(attempts.length, 2);
    await accept();
    await Promise.all([now, connecting]);
    await client.close();
    const left = new AbortController();
    left.abort(new Error("left"));
    await assert.rejects(client.attempt({ signal: left.signal }), { code: "stopping" });
    assert.equal(clock.pending, 0);
  });
});
