import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { ActrError } from "../../../src/errors.ts";
import { renewalDelayMs } from "../../../src/identity/backoff.ts";
import { CredentialKeeper } from "../../../src/identity/credential_keeper.ts";
import { issueError } from "../../../src/identity/issue_failure.ts";
import type { IssuedIdentity } from "../../../src/identity/issued_identity.ts";
import { SessionState } from "../../../src/identity/session_state.ts";
import { type Deferred, deferred, issued, RecordingLogger } from "./support.ts";

const minute = 60_000;
const hour = 60 * minute;

/** A keeper whose exchanges with the identity service the test answers. */
function setUp(first: Parameters<typeof issued>[2] = {}) {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const session = new SessionState({ log }, issued(1n, clock.now(), first));
  const calls: string[] = [];
  const answers: Deferred<IssuedIdentity>[] = [];
  const exchange = (call: string, signal: AbortSignal): Promise<IssuedIdentity> => {
    const answer = deferred<IssuedIdentity>();
    signal.addEventListener("abort", () => answer.reject(signal.reason), { once: true });
    calls.push(call);
    answers.push(answer);
    return answer.promise;
  };
  const events: string[] = [];
  const keeper = new CredentialKeeper(
    {
      clock,
      random: new SeededRandom(1),
      log,
      session,
      ais: { renew: (id, _token, { signal }) => exchange(`renew ${id.serial}`, signal) },
      reissue: (id, _token, { signal }) => exchange(`reissue ${id.serial}`, signal),
      register: ({ signal }) => exchange("register", signal),
    },
    {
      onRenewed: ({ credentialExpiresAtMs }) => events.push(`renewed ${credentialExpiresAtMs}`),
      onExpiring: (expiresAtMs) => events.push(`expiring ${expiresAtMs}`),
      onRebound: (current, previous) =>
        events.push(`rebound ${previous.id.serial} to ${current.id.serial}`),
    },
  );
  /** Answers the newest exchange and lets its consequences happen. */
  const answer = async (result: IssuedIdentity | ActrError): Promise<void> => {
    const newest = answers.at(-1);
    if (ActrError.is(result)) newest?.reject(result);
    else newest?.resolve(result);
    await clock.settle();
  };
  return { clock, log, session, keeper, calls, events, answer };
}

const refusal = (failure: Parameters<typeof issueError>[1], retryAfterMs?: number): ActrError =>
  issueError("renewal", failure, "no", retryAfterMs === undefined ? {} : { retryAfterMs });

describe("CredentialKeeper", () => {
  it("[ND-41] renews at about two thirds of the life of the credential, and plans the next", async () => {
    const { clock, keeper, calls, answer, session } = setUp();
    const start = clock.now();
    keeper.start();
    await clock.advance(0.59 * hour);
    assert.deepEqual(calls, []);
    await clock.advance(0.08 * hour);
    assert.deepEqual(calls, ["renew 1"]);
    await answer(issued(1n, clock.now()));
    assert.ok(session.current.credentialExpiresAtMs > start + hour);
    await clock.advance(0.67 * hour);
    assert.equal(calls.length, 2);
    await keeper.close();
    assert.equal(clock.pending, 0);
  });

  it("plans by the renewal token when that ends first, and not more often than every 5 s", async () => {
    const { clock, keeper, calls, answer } = setUp({ lifeMs: 100 * hour, tokenLifeMs: hour });
    keeper.start();
    await clock.advance(0.67 * hour);
    assert.deepEqual(calls, ["renew 1"]);
    await answer(issued(1n, clock.now(), { lifeMs: -minute }));
    await clock.advance(4_999);
    assert.equal(calls.length, 1);
    await clock.advance(1);
    assert.equal(calls.length, 2);
    await keeper.close();
  });

  it("[N-140] [N-143] a warning starts one renewal, however many come", async () => {
    const { keeper, calls, events, session, answer, clock } = setUp();
    const expiry = session.current.credentialExpiresAtMs;
    keeper.warned();
    keeper.warned();
    assert.deepEqual(calls, ["renew 1"]);
    assert.equal(keeper.renewing, true);
    const renewed = issued(1n, clock.now() + 1);
    await answer(renewed);
    assert.equal(keeper.renewing, false);
    assert.equal(session.current.credential, renewed.credential);
    assert.deepEqual(events, [
      `expiring ${expiry}`,
      `expiring ${expiry}`,
      `renewed ${renewed.credentialExpiresAtMs}`,
    ]);
    await keeper.close();
  });

  it("[N-139] a refused credential is told and renewed, without a registration", async () => {
    const { keeper, calls, events, session, answer, clock } = setUp();
    const refused = session.current;
    keeper.refused(refused);
    assert.deepEqual(events, [`expiring ${refused.credentialExpiresAtMs}`]);
    await answer(issued(1n, clock.now()));
    assert.deepEqual(calls, ["renew 1"]);
    assert.deepEqual(session.current.id, refused.id);
    await keeper.close();
  });

  it("ignores the refusal of a credential that has been replaced", async () => {
    const { keeper, calls, session, clock } = setUp();
    const old = session.current;
    session.update(issued(1n, clock.now()));
    keeper.refused(old);
    assert.deepEqual(calls, []);
    await keeper.close();
  });

  it("[N-142] an expired renewal token means a new registration, generation 2, where there is no reissue", async () => {
    const { keeper, calls, session, answer, clock } = setUp({ tokenLifeMs: -1 });
    keeper.warned();
    await answer(refusal("Protocol"));
    assert.deepEqual(calls, ["reissue 1", "register"]);
    await answer(issued(2n, clock.now()));
    assert.equal(session.current.generation, 2);
    assert.equal(session.phase, "rebinding");
    await keeper.close();
  });

  it("[N-145] an expiry equal to now counts as expired, and no pause is above 75 s", async () => {
    const { keeper, calls } = setUp({ tokenLifeMs: 0 });
    keeper.warned();
    assert.deepEqual(calls, ["reissue 1"], "not renewed");
    await keeper.close();
    const random = new SeededRandom(7);
    for (let attempt = 0; attempt < 1_000; attempt++) {
      const delayMs = renewalDelayMs(attempt, random);
      assert.ok(delayMs >= 3_750 && delayMs <= 75_000, `${delayMs}`);
    }
  });

  for (const [what, first, exchanges] of [
    ["has ended", { tokenLifeMs: -1 }, ["reissue 1"]],
    ["is rejected", {}, ["renew 1", "reissue 1"]],
  ] as const) {
    it(`a token that ${what} brings the same identity again, where the service reissues`, async () => {
      const { keeper, calls, events, session, answer, clock } = setUp(first);
      const { id } = session.current;
      keeper.warned();
      if (exchanges.length === 2) await answer(refusal("TokenRejected"));
      assert.deepEqual(calls, exchanges);
      const again = issued(1n, clock.now() + 1);
      await answer(again);
      assert.deepEqual([session.current.id, session.current.generation], [id, 1]);
      assert.equal(session.phase, "active");
      assert.equal(events.at(-1), `renewed ${again.credentialExpiresAtMs}`);
      await keeper.close();
    });
  }

  it("a reissue that fails for now is tried again while the credential holds, then a registration takes its place", async () => {
    for (const failure of ["Retryable", "RealmUnavailable"] as const) {
      const { keeper, calls, answer, clock } = setUp({ tokenLifeMs: -1, lifeMs: 6_000 });
      keeper.warned();
      await answer(refusal(failure));
      await clock.advance(6_250);
      assert.deepEqual(calls, ["reissue 1", "reissue 1"]);
      await answer(refusal(failure));
      assert.deepEqual(calls.slice(2), ["register"]);
      await keeper.close();
    }
  });

  it("a reissue that comes too often waits as told, with the credential or without", async () => {
    const { keeper, calls, answer, clock } = setUp({ tokenLifeMs: -1, lifeMs: -1 });
    keeper.warned();
    await answer(refusal("RateLimited", 120_000));
    await clock.advance(119_999);
    assert.deepEqual(calls, ["reissue 1"]);
    await clock.advance(1);
    assert.deepEqual(calls, ["reissue 1", "reissue 1"]);
    await keeper.close();
  });

  it("[ND-40] a rejected token means a new registration, told as renewed and as rebound", async () => {
    const { keeper, calls, events, session, answer, clock } = setUp();
    keeper.warned();
    await answer(refusal("TokenRejected"));
    await answer(refusal("TokenRejected"));
    assert.deepEqual(calls, ["renew 1", "reissue 1", "register"]);
    assert.equal(session.current.id.serial, 1n, "nothing changes before the registration");
    assert.equal(session.phase, "active");
    const next = issued(2n, clock.now());
    await answer(next);
    assert.deepEqual(events.slice(1), [`renewed ${next.credentialExpiresAtMs}`, "rebound 1 to 2"]);
    await keeper.close();
  });

  it("[ND-43] tries again after 5, 10, 20, 40, 60 and 60 s, give or take a quarter", async () => {
    const { keeper, calls, answer, clock } = setUp();
    keeper.warned();
    for (const [index, seconds] of [5, 10, 20, 40, 60, 60].entries()) {
      await answer(refusal("Retryable"));
      await clock.advance(seconds * 750 - 1);
      assert.equal(calls.length, index + 1, `not before three quarters of ${seconds} s`);
      await clock.advance(seconds * 500 + 1);
      assert.equal(calls.length, index + 2, `within five quarters of ${seconds} s`);
    }
    await keeper.close();
    assert.equal(clock.pending, 0);
  });

  it("[ND-43] waits as told, but five minutes at most", async () => {
    const { keeper, calls, answer, clock } = setUp();
    keeper.warned();
    await answer(refusal("RateLimited", 120_000));
    await clock.advance(119_999);
    assert.equal(calls.length, 1);
    await clock.advance(1);
    assert.equal(calls.length, 2);
    await answer(refusal("RateLimited", 999_999_000));
    await clock.advance(300_000);
    assert.equal(calls.length, 3);
    await keeper.close();
  });

  it("[ND-42] an unavailable realm is tried again slowly, triggers start nothing else, success ends the phase", async () => {
    const { keeper, calls, answer, clock, session } = setUp();
    keeper.warned();
    await answer(refusal("RealmUnavailable"));
    assert.equal(session.phase, "realm_unavailable");
    keeper.warned();
    keeper.refused(session.current);
    assert.equal(calls.length, 1);
    await clock.advance(6_250);
    assert.equal(calls.length, 2);
    await answer(issued(1n, clock.now()));
    assert.equal(session.phase, "active");
    await keeper.close();
  });

  it("[ND-42] a hook that throws leaves the keeper able to renew again", async () => {
    const { clock, log, session } = setUp();
    let renewals = 0;
    const keeper = new CredentialKeeper(
      {
        clock,
        random: new SeededRandom(1),
        log,
        session,
        ais: {
          renew: () => {
            renewals++;
            return Promise.resolve(issued(1n, clock.now()));
          },
        },
        reissue: () => Promise.reject(new Error("not expected")),
        register: () => Promise.reject(new Error("not expected")),
      },
      {
        onRenewed: () => {
          throw new Error("broken hook");
        },
      },
    );
    for (const expected of [1, 2]) {
      keeper.warned();
      await clock.settle();
      assert.equal(renewals, expected);
      assert.equal(keeper.renewing, false);
    }
    assert.deepEqual(log.levels("identity.hook.failed"), ["error", "error"]);
    await keeper.close();
  });

  it("gives a request that is refused for good up only when the credential has expired", async () => {
    const { keeper, calls, answer, clock } = setUp({ lifeMs: 6_000 });
    keeper.warned();
    await answer(refusal("Protocol"));
    await clock.advance(6_250);
    assert.deepEqual(calls, ["renew 1", "renew 1"]);
    await answer(refusal("Protocol"));
    await answer(refusal("InvalidRequest"));
    assert.deepEqual(calls.slice(2), ["reissue 1", "register"]);
    await keeper.close();
  });

  it("stops in the middle of an exchange or a pause, with nothing left", async () => {
    for (const inPause of [false, true]) {
      const { keeper, answer, clock, session } = setUp();
      keeper.warned();
      if (inPause) await answer(refusal("Retryable"));
      await keeper.close();
      keeper.warned();
      assert.equal(keeper.renewing, false);
      assert.equal(clock.pending, 0);
      assert.equal(session.current.generation, 1);
    }
  });
});
