import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { type SessionChange, SessionState } from "../../../src/identity/session_state.ts";
import { issued, RecordingLogger } from "./support.ts";

const notReady = (error: unknown): boolean =>
  ActrError.is(error) && error.code === "connection_not_ready" && error.retryAfterMs === undefined;

function setUp() {
  const log = new RecordingLogger();
  const first = issued(1n, 0);
  const session = new SessionState({ log }, first);
  const changes: SessionChange[] = [];
  session.listen((change) => changes.push(change));
  return { log, first, session, changes };
}

describe("SessionState", () => {
  it("[N-146] a renewal keeps id and generation, a new identity raises it and returns the old one", () => {
    const { session, first, changes } = setUp();
    const renewed = session.update(issued(1n, 5));
    assert.deepEqual([renewed.id, renewed.generation], [first.id, 1]);
    assert.equal(session.current, renewed);
    const previous = session.commit(issued(2n, 10));
    assert.equal(previous, renewed);
    assert.deepEqual([session.current.id.serial, session.current.generation], [2n, 2]);
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ["renewed", "phase", "rebound"],
    );
  });

  it("[N-146] reaches every phase, and leaves it", () => {
    const { session } = setUp();
    assert.equal(session.phase, "active");
    session.realmUnavailable();
    assert.equal(session.phase, "realm_unavailable");
    session.update(issued(1n, 5));
    assert.equal(session.phase, "active");
    session.commit(issued(2n, 10));
    assert.equal(session.phase, "rebinding");
    session.reached();
    assert.equal(session.phase, "active");
  });

  it("is rebinding again, not active, when the realm comes back before signaling knows the new identity", () => {
    const { session } = setUp();
    session.commit(issued(2n, 10));
    session.realmUnavailable();
    assert.equal(session.phase, "realm_unavailable");
    session.update(issued(2n, 20));
    assert.equal(session.phase, "rebinding");
    session.reached();
    assert.equal(session.phase, "active");
  });

  it("a stale generation or a phase other than active is not ready", () => {
    const { session } = setUp();
    session.assertUsable(1);
    assert.throws(() => session.assertUsable(2), notReady);
    session.commit(issued(2n, 10));
    assert.throws(() => session.assertUsable(2), notReady);
    session.reached();
    session.assertUsable(2);
    assert.throws(() => session.assertUsable(1), notReady);
    session.realmUnavailable();
    assert.throws(() => session.assertUsable(2), notReady);
  });

  it("keeps the TURN credential when a renewal brings none", () => {
    const { session } = setUp();
    const turnCredential = { ...issued(1n, 0), turnCredential: turn };
    session.update(turnCredential);
    assert.equal(session.update(issued(1n, 5)).turnCredential, turn);
  });

  it("refuses a renewal for another id", () => {
    const { session } = setUp();
    assert.throws(() => session.update(issued(2n, 5)), TypeError);
  });

  it("a listener that throws harms nobody, readers see the newest identity", () => {
    const { session, log } = setUp();
    const seen: bigint[] = [];
    session.listen(() => {
      throw new Error("broken");
    });
    const stop = session.listen(() => seen.push(session.current.id.serial));
    session.commit(issued(2n, 5));
    assert.deepEqual(seen, [2n, 2n]);
    assert.deepEqual(log.levels("identity.listener.failed"), ["error", "error"]);
    stop();
    session.reached();
    assert.equal(seen.length, 2);
  });
});

const turn = { username: "u", password: "p", expiresAtMs: 1 };
