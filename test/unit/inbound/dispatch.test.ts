import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "../../../src/errors.ts";
import { gate, RemotePeer, type Rig, type RigOptions, rig, ScriptedStore } from "./support.ts";

const stopping = new ActrError("stopping", "this node is stopping");

/** Handlers that wait at a door each, and tell when they begin and end. */
function doors() {
  const events: string[] = [];
  const waiting = new Map<string, (failure?: Error) => void>();
  const handle = async (text: string): Promise<string> => {
    events.push(`+${text}`);
    await new Promise<void>((resolve, reject) => {
      waiting.set(text, (failure) => (failure === undefined ? resolve() : reject(failure)));
    });
    events.push(`-${text}`);
    return text;
  };
  return { handle, events, open: (text: string, failure?: Error) => waiting.get(text)?.(failure) };
}

/** A rig whose calls wait for those of the same caller, and some callers. */
async function callers(setup: RigOptions): Promise<{ world: Rig; a: RemotePeer; b: RemotePeer }> {
  const world = await rig({ conflictKey: { sender: true }, ...setup });
  return { world, a: new RemotePeer(world, 2), b: new RemotePeer(world, 3) };
}

describe("dispatch", () => {
  it("[N-117] calls of one caller wait for each other, those of others do not", async () => {
    const { handle, events, open } = doors();
    const { world, a, b } = await callers({ handle });
    for (const text of ["a1", "a2"]) await a.send(text);
    await b.send("b1");
    assert.deepEqual(events, ["+a1", "+b1"]);
    open("a1");
    await world.clock.settle();
    assert.deepEqual(events, ["+a1", "+b1", "-a1", "+a2"]);
  });

  it("[N-114] [N-115] a request without its key runs alone, and the log is told once a second", async () => {
    const { handle, events } = doors();
    const world = await rig({ conflictKey: { field: "message" }, handle });
    const remote = new RemotePeer(world);
    await remote.send("x");
    for (let n = 0; n < 3; n++) await remote.send("");
    await remote.send("y");
    assert.deepEqual(events, ["+x"], "what follows waits, too");
    const warnings = world.records.filter(({ event }) => event === "dispatch.key_missing");
    assert.equal(warnings.length, 1);
  });

  it("a request without its key counts once, also when a handler elsewhere waits for it", async () => {
    const world = await rig({ conflictKey: { field: "message" } });
    const remote = new RemotePeer(world);
    for (let n = 0; n < 2; n++) {
      await remote.send("", { chain: ["elsewhere"] });
      await world.clock.advance(1_000);
    }
    const warnings = world.records.filter(({ event }) => event === "dispatch.key_missing");
    assert.deepEqual(
      warnings.map(({ attributes }) => attributes?.["requests"]),
      [1, 1],
    );
  });

  it("[N-22] without a key in any method, or switched off, every call runs alone; otherwise keys count", async () => {
    const modes: [RigOptions, string[]][] = [
      [{ conflictKey: { sender: true } }, ["+a", "+b"]],
      [{}, ["+a"]],
      [{ conflictKey: { sender: true }, options: { dispatch: { concurrent: false } } }, ["+a"]],
    ];
    for (const [setup, begun] of modes) {
      const { handle, events } = doors();
      const world = await rig({ handle, ...setup });
      await new RemotePeer(world, 2).send("a");
      await new RemotePeer(world, 3).send("b");
      assert.deepEqual(events, begun);
    }
  });

  it("[N-119] eight calls at once, told and asked: strictly one after the other", async () => {
    const { handle, events, open } = doors();
    const world = await rig({ handle });
    const remote = new RemotePeer(world);
    const texts = Array.from({ length: 8 }, (_, n) => String(n));
    for (const text of texts) {
      if (Number(text) % 2 === 0) remote.post(text);
      else await remote.tell(text);
    }
    for (const text of texts) {
      await world.clock.settle();
      open(text);
    }
    await world.clock.settle();
    assert.deepEqual(
      events,
      texts.flatMap((text) => [`+${text}`, `-${text}`]),
    );
  });

  it("high priority goes first whenever the next call is decided on", async () => {
    const { handle, events, open } = doors();
    const { world, a, b } = await callers({ handle, options: { dispatch: { budget: 1 } } });
    await a.send("a1");
    await a.send("a2");
    await b.send("urgent", { lane: 1 });
    open("a1");
    await world.clock.settle();
    assert.deepEqual(events, ["+a1", "-a1", "+urgent"]);
  });

  it("[ND-29] the answer of a finished call waits for no admission", async () => {
    const store = new ScriptedStore();
    const { handle, open } = doors();
    const { world, a, b } = await callers({
      handle,
      store,
      durable: true,
      options: { dispatch: { budget: 1 } },
    });
    await a.send("a");
    const disk = gate();
    store.hold = disk.promise;
    open("a");
    b.post("b");
    await world.clock.settle();
    assert.deepEqual(world.handled, ["a", "b"], "the next one runs while the commit is under way");
    assert.deepEqual(a.heard, []);
    disk.open();
    await world.clock.settle();
    assert.deepEqual(a.heard, ["a"]);
    assert.deepEqual(b.heard, []);
  });
});

describe("dispatch: faults", () => {
  it("[N-124] [ND-18] a handler that crashes harms no other: not beside it, not of its key, not later", async () => {
    const { handle, open } = doors();
    const { world, a, b } = await callers({ handle });
    await a.send("a1");
    await a.send("a2");
    await b.send("b1");
    open("a1", new TypeError("broken"));
    await world.clock.settle();
    assert.deepEqual(a.heard, [10010]);
    for (const text of ["a2", "b1"]) open(text);
    await world.clock.settle();
    assert.deepEqual([a.heard, b.heard], [[10010, "a2"], ["b1"]]);
  });

  it("[N-123] [ND-28] two run, the time of one is up: it alone is answered so, and the node goes on, in either mode", async () => {
    for (const concurrent of [true, false]) {
      const { handle, events, open } = doors();
      const options = { dispatch: { concurrent, timeoutMs: 20 } };
      const { world, a, b } = await callers({ handle, options });
      await a.send("a1");
      await world.clock.advance(10);
      await b.send("b1");
      await world.clock.advance(18);
      assert.deepEqual([a.heard, b.heard], [[10002], []]);
      assert.equal(world.inbound.handling.status().overdue, 1);
      await a.send("a2");
      assert.equal(events.includes("+a2"), false, "its key is held until it ends");
      assert.equal(world.errors[0]?.error.code, "timed_out");
      open("b1");
      open("a1");
      await world.clock.settle();
      open("b1");
      await world.clock.settle();
      open("a2");
      await world.clock.settle();
      assert.deepEqual([a.heard, b.heard], [[10002, "a2"], ["b1"]]);
      assert.equal(world.inbound.handling.status().overdue, 0);
    }
  });

  it("[ND-28] what a handler writes after its time counts no more; the node tells when nothing can begin beside it", async () => {
    const door = gate();
    let late: unknown;
    const world = await rig({
      options: { dispatch: { timeoutMs: 20 } },
      async handle(text, { state }) {
        state.put("early", new Uint8Array(1));
        await door.promise;
        try {
          state.put("late", new Uint8Array(1));
        } catch (error) {
          late = error;
        }
        return text;
      },
    });
    const remote = new RemotePeer(world);
    await remote.send("x");
    assert.equal(world.inbound.handling.status().stuck, false);
    await world.clock.advance(30);
    assert.equal(world.inbound.handling.status().stuck, true);
    door.open();
    await world.clock.settle();
    assert.match(String(late), /after the handler had ended/);
    assert.equal(await world.store.record("state", "early"), undefined);
    assert.deepEqual(remote.heard, [10002]);
    assert.equal(world.inbound.handling.status().stuck, false);
  });

  it("[N-121] a call whose caller has given up while it waited for its key is not handled", async () => {
    const { handle, events, open } = doors();
    const { world, a } = await callers({ handle });
    await a.send("a1");
    const requestId = await a.send("a2", { timeoutMs: 50 });
    await world.clock.advance(60);
    open("a1");
    await world.clock.settle();
    assert.deepEqual(a.heard, ["a1", 10002]);
    await a.send("a2", { requestId });
    assert.deepEqual(events, ["+a1", "-a1", "+a2"], "but its repeat is");
  });
});

describe("dispatch: stop", () => {
  it("[N-108] [N-109] what was let in still runs, also behind its key and behind a full scheduler; what comes later hears that the node stops", async () => {
    const { handle, open } = doors();
    const options = { dispatch: { budget: 1, capacity: 1 } };
    const { world, a, b } = await callers({ handle, options });
    for (const text of ["a1", "a2"]) await a.send(text);
    await b.send("b1");
    world.inbound.gate.close(stopping);
    const draining = world.inbound.drain();
    await b.send("b2");
    assert.deepEqual(b.heard, [10001]);
    for (const text of ["a1", "a2", "b1"]) {
      open(text);
      await world.clock.settle();
    }
    await draining;
    assert.deepEqual(
      [a.heard, b.heard],
      [
        ["a1", "a2"],
        [10001, "b1"],
      ],
    );
  });

  it("[N-110] [N-120] a node that stops for good answers the caller of a stuck handler, and whoever waits behind it", async () => {
    const { handle, open } = doors();
    const { world, a, b } = await callers({ handle });
    for (const text of ["a1", "a2"]) await a.send(text);
    await b.send("b1");
    await world.inbound.close(stopping);
    await world.clock.settle();
    assert.deepEqual([a.heard, b.heard], [[10001, 10001], [10001]]);
    open("a1");
    await world.clock.settle();
    assert.deepEqual(a.heard, [10001, 10001], "what it does now counts no more");
    assert.deepEqual(world.handled, ["a1", "b1"]);
  });
});
