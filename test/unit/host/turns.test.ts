import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TurnKind } from "../../../src/actor.ts";
import { ActrError } from "../../../src/errors.ts";
import { type Turn, Turns } from "../../../src/host/turns/turns.ts";

class TestTurn implements Turn {
  readonly kind: TurnKind;
  readonly #onBegin: (turn: Turn) => void;
  name: string | undefined;
  begun = 0;
  refused: ActrError | undefined;

  constructor(kind: TurnKind, onBegin: (turn: Turn) => void = () => {}) {
    this.kind = kind;
    this.#onBegin = onBegin;
  }

  begin(): void {
    this.begun += 1;
    this.#onBegin(this);
  }

  refuse(error: ActrError): void {
    this.refused = error;
  }
}

function opened(capacity = 10): Turns {
  const turns = new Turns(capacity);
  turns.open();
  return turns;
}

function enter(turns: Turns, ...kinds: readonly TurnKind[]): TestTurn[] {
  return kinds.map((kind) => {
    const turn = new TestTurn(kind);
    turns.enter(turn);
    return turn;
  });
}

const begun = (turns: readonly TestTurn[]): number[] => turns.map((turn) => turn.begun);

describe("turns", () => {
  it("begin one exclusive after the other, in the order of their arrival", () => {
    const turns = opened();
    const all = enter(turns, "exclusive", "exclusive", "exclusive");
    const [first, second] = all as [TestTurn, TestTurn];
    assert.deepEqual(begun(all), [1, 0, 0]);
    turns.ended(first);
    assert.deepEqual(begun(all), [1, 1, 0]);
    turns.ended(second);
    assert.deepEqual(begun(all), [1, 1, 1]);
  });

  it("let reads go on beside each other, and not beside an exclusive one", () => {
    const turns = opened();
    const all = enter(turns, "read", "read", "exclusive", "read");
    const [first, second, third] = all as [TestTurn, TestTurn, TestTurn];
    assert.deepEqual(begun(all), [1, 1, 0, 0]);
    turns.ended(second);
    assert.deepEqual(begun(all), [1, 1, 0, 0]);
    turns.ended(first);
    assert.deepEqual(begun(all), [1, 1, 1, 0]);
    turns.ended(third);
    assert.deepEqual(begun(all), [1, 1, 1, 1]);
    assert.deepEqual([turns.running, turns.waiting], [1, 0]);
  });

  it("let an interleaved one begin whenever it comes, and keep nobody from beginning", () => {
    const turns = opened();
    const all = enter(turns, "exclusive", "exclusive", "interleaved");
    const [first] = all as [TestTurn];
    assert.deepEqual(begun(all), [1, 0, 1]);
    turns.ended(first);
    assert.deepEqual(begun(all), [1, 1, 1]);
  });

  it("wait, of whatever kind, until they are opened", () => {
    const turns = new Turns(10);
    const all = enter(turns, "interleaved", "exclusive", "read");
    assert.deepEqual(begun(all), [0, 0, 0]);
    turns.open();
    assert.deepEqual(begun(all), [1, 1, 0]);
  });

  it("that end as they begin follow each other without one call in the other", () => {
    const turns = new Turns(100_000);
    for (let i = 0; i < 100_000; i++) {
      turns.enter(new TestTurn("exclusive", (turn) => turns.ended(turn)));
    }
    turns.open();
    assert.deepEqual([turns.running, turns.waiting], [0, 0]);
  });

  it("[HD-5] refuse what comes when as many wait as may, with a hint when to come again", () => {
    const turns = opened(2);
    const all = enter(turns, "exclusive", "exclusive", "read", "exclusive");
    const refused = all[3]?.refused;
    assert.equal(refused?.code, "actor.overloaded");
    assert.equal(refused?.retryable, true);
    assert.equal(refused?.retryAfterMs, 100);
    assert.deepEqual(refused?.details, { channel: "inbox", capacity: 2 });
    assert.deepEqual(begun(all), [1, 0, 0, 0]);
  });

  for (const kind of ["read", "interleaved"] as const) {
    it(`[HD-5] let no more of kind ${kind} go on beside each other than may wait`, () => {
      const turns = opened(2);
      const all = enter(turns, kind, kind, kind, kind, kind);
      assert.deepEqual(begun(all), [1, 1, 0, 0, 0]);
      assert.equal(all[4]?.refused?.code, "actor.overloaded");
      turns.ended(all[0] as TestTurn);
      assert.deepEqual(begun(all), [1, 1, 1, 0, 0]);
    });
  }

  it("name the one of a chain that keeps others from beginning", () => {
    const turns = opened();
    const [exclusive, interleaved] = enter(turns, "exclusive", "interleaved") as [
      TestTurn,
      TestTurn,
    ];
    exclusive.name = "exclusive";
    interleaved.name = "interleaved";
    assert.equal(turns.holderAmong(["elsewhere", "exclusive"]), exclusive);
    assert.equal(turns.holderAmong(["interleaved"]), undefined);
    turns.ended(exclusive);
    assert.equal(turns.holderAmong(["exclusive"]), undefined);
  });

  it("begin a nested one within the one that waits for it, ahead of all others", () => {
    const turns = opened();
    const [outer, waiting] = enter(turns, "exclusive", "exclusive") as [TestTurn, TestTurn];
    const nested = new TestTurn("exclusive");
    turns.nest(nested);
    assert.equal(nested.begun, 1);
    turns.ended(nested);
    assert.equal(waiting.begun, 0);
    turns.ended(outer);
    assert.equal(waiting.begun, 1);
  });

  it("[HD-4] are all refused when they are closed, those that go on too, and none begins after", () => {
    const turns = opened();
    const all = enter(turns, "read", "interleaved", "exclusive");
    const error = new ActrError("actor.stopping", "it stops");
    turns.close(error);
    assert.deepEqual(
      all.map((turn) => turn.refused),
      [error, error, error],
    );
    turns.ended(all[0] as TestTurn);
    assert.deepEqual(begun(all), [1, 1, 0]);
  });
});
