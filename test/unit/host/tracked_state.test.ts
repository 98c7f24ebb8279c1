import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TrackedState } from "../../../src/host/state/tracked_state.ts";
import { decodeCbor } from "../../../src/protocol/cbor/decode.ts";
import { encodeCbor } from "../../../src/protocol/cbor/encode.ts";

/** A state, and how often it said that it changes. */
class Subject<T> {
  changes = 0;
  readonly #state: TrackedState;

  constructor(value: T) {
    this.#state = new TrackedState(value, () => {
      this.changes += 1;
    });
  }

  get value(): T {
    return this.#state.value as T;
  }

  set value(value: T) {
    this.#state.value = value;
  }

  /** What would be read back after it was stored. */
  get stored(): unknown {
    return decodeCbor(encodeCbor(this.#state.raw));
  }

  observed(observe: () => void): void {
    this.#state.observed(observe);
  }
}

interface Item {
  tags: string[];
}

/** Everything that state is made of, some of it deep. */
const contents = () => ({
  count: 0,
  list: [{ tags: ["a"] }] as Item[],
  deep: { er: { still: 1 } as { still?: number } },
  map: new Map<string, Item>([["k", { tags: [] }]]),
  set: new Set<unknown>(["x"]),
  at: new Date(1000),
  bytes: Uint8Array.of(1, 2, 3),
  floats: Float64Array.of(0.5, 1.5),
});

type Contents = ReturnType<typeof contents>;

const mutations: Readonly<Record<string, (state: Contents) => unknown>> = {
  "a property": (s) => (s.count = 1),
  "a property, deep": (s) => (s.deep.er.still = 2),
  "a property, deleted": (s) => delete s.deep.er.still,
  "a property, defined": (s) => Object.defineProperty(s.deep, "er", { value: { still: 3 } }),
  "several, by Object.assign": (s) => Object.assign(s.deep.er, { still: 4 }),
  "an element": (s) => (s.list[0] = { tags: ["b"] }),
  "an element, deep": (s) => s.list[0]?.tags.push("b"),
  "an array's length": (s) => (s.list.length = 0),
  "array.splice": (s) => s.list.splice(0, 1, { tags: ["c"] }),
  "array.sort": (s) =>
    s.list.push({ tags: [] }) && s.list.sort((a, b) => a.tags.length - b.tags.length),
  "an element that was found": (s) => s.list.find(({ tags }) => tags[0] === "a")?.tags.pop(),
  "map.set": (s) => s.map.set("l", { tags: ["m"] }),
  "map.delete": (s) => s.map.delete("k"),
  "map.clear": (s) => s.map.clear(),
  "a value of a map": (s) => s.map.get("k")?.tags.push("n"),
  "a value of a map, by values()": (s) => [...s.map.values()][0]?.tags.push("o"),
  "a value of a map, by its iterator": (s) => [...s.map][0]?.[1].tags.push("p"),
  "a value of a map, by forEach": (s) => s.map.forEach((item) => void item.tags.push("q")),
  "set.add": (s) => s.set.add("y"),
  "set.delete": (s) => s.set.delete("x"),
  "set.clear": (s) => s.set.clear(),
  "a date": (s) => s.at.setTime(2000),
  "a byte": (s) => (s.bytes[0] = 9),
  "bytes, by set": (s) => s.bytes.set([7, 8], 1),
  "bytes, by fill": (s) => s.bytes.fill(5),
  "bytes, by a part of them": (s) => (s.bytes.subarray(1)[0] = 6),
  "a typed array": (s) => s.floats.reverse(),
};

describe("tracked state", () => {
  for (const [name, mutate] of Object.entries(mutations)) {
    it(`tells of a change of ${name}, and keeps it`, () => {
      const subject = new Subject(contents());
      const plain = contents();
      mutate(subject.value);
      mutate(plain);
      assert.ok(subject.changes > 0);
      assert.deepEqual(subject.stored, plain);
      assert.notDeepEqual(subject.stored, contents());
    });
  }

  it("tells of nothing when it is read", () => {
    const subject = new Subject(contents());
    const { value } = subject;
    JSON.stringify(value);
    for (const item of value.list) void item.tags.length;
    for (const [key, item] of value.map) void [key, item.tags, value.map.has(key), value.map.size];
    for (const each of value.set) void [each, value.set.has(each), value.set.size];
    void [value.at.getTime(), value.at.toISOString(), value.bytes.slice(1), value.bytes.length];
    void [Object.keys(value), "count" in value, value.list.map(({ tags }) => tags.length)];
    assert.equal(subject.changes, 0);
  });

  it("shows one object always as the same one", () => {
    const { value } = new Subject(contents());
    const item = value.list[0] as Item;
    assert.equal(value.list[0], item);
    assert.equal(value.list.indexOf(item), 0);
    const shown = value.map.get("k");
    assert.equal(value.map.get("k"), shown);
  });

  it("finds in a set, and by a map's key, what it has shown of itself", () => {
    const item: Item = { tags: [] };
    const subject = new Subject({ set: new Set([item]), map: new Map([[item, 1]]) });
    const { set, map } = subject.value;
    const [shown] = set;
    assert.ok(shown !== undefined && set.has(shown));
    const [key] = map.keys();
    assert.ok(key !== undefined && map.has(key));
    assert.equal(map.get(key), 1);
    key.tags.push("seen");
    assert.ok(subject.changes > 0);
    assert.ok(map.delete(key) && set.delete(shown));
    assert.deepEqual(subject.stored, { set: new Set(), map: new Map() });
  });

  it("moves its own parts about as what they are", () => {
    const subject = new Subject({ a: { n: 1 }, b: {} as Record<string, unknown> });
    const { value } = subject;
    value.b["again"] = value.a;
    value.b["listed"] = [value.a, new Map([["m", value.a]]), new Set([value.a])];
    value.a.n = 2;
    const { n } = { n: 2 };
    assert.deepEqual(subject.stored, {
      a: { n },
      b: { again: { n }, listed: [{ n }, new Map([["m", { n }]]), new Set([{ n }])] },
    });
  });

  it("moves parts of every kind into what is new", () => {
    const subject = new Subject<{ all: Contents; copy?: unknown }>({ all: contents() });
    subject.value.copy = { ...subject.value.all };
    assert.deepEqual(subject.stored, { all: contents(), copy: contents() });
    subject.value.all.floats[0] = 7;
    assert.deepEqual((subject.stored as { copy: Contents }).copy.floats, Float64Array.of(7, 1.5));
  });

  it("tells of changes in what has been put into it", () => {
    const subject = new Subject<{ list: Item[] }>({ list: [] });
    subject.value.list.push({ tags: [] });
    const before = subject.changes;
    subject.value.list[0]?.tags.push("late");
    assert.ok(subject.changes > before);
    assert.deepEqual(subject.stored, { list: [{ tags: ["late"] }] });
  });

  it("is replaced as a whole by an assignment", () => {
    const subject = new Subject<unknown>({ old: true });
    subject.value = 5;
    assert.deepEqual([subject.value, subject.changes, subject.stored], [5, 1, 5]);
  });

  it("shows an ArrayBuffer as one", () => {
    const subject = new Subject({ buffer: Uint8Array.of(1, 2).buffer });
    assert.equal(subject.value.buffer.byteLength, 2);
    assert.deepEqual(new Uint8Array(subject.value.buffer), Uint8Array.of(1, 2));
  });

  class Account {
    balance = 0;
  }

  const refused: Readonly<Record<string, readonly [value: unknown, path: string]>> = {
    "a function": [{ f: () => {} }, "f"],
    "a symbol": [[Symbol("s")], "[0]"],
    "an instance of a class": [{ list: [new Account()] }, "list[0]"],
    "a promise": [{ p: Promise.resolve() }, "p"],
  };
  for (const [name, [value, path]] of Object.entries(refused)) {
    it(`refuses ${name}, saying where it is, and stays as it was`, () => {
      const subject = new Subject<{ put: unknown }>({ put: 1 });
      assert.throws(
        () => {
          subject.value.put = value;
        },
        { code: "actor.unsupported_value", details: { path } },
      );
      assert.deepEqual([subject.changes, subject.stored], [0, { put: 1 }]);
    });
  }

  it("[H-93] refuses every change while it is observed, and makes none", () => {
    const subject = new Subject(contents());
    subject.observed(() => {
      for (const [name, mutate] of Object.entries(mutations)) {
        assert.throws(
          () => mutate(subject.value),
          { code: "actor.state_mutation_reentrant" },
          name,
        );
      }
    });
    assert.deepEqual([subject.changes, subject.stored], [0, contents()]);
  });
});
