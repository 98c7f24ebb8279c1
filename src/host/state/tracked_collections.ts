/** How values go in and out of what is tracked. */
export interface Passage {
  /** A value as it may be shown. */
  see(value: unknown): unknown;
  /** A value as it may be kept. @throws ActrError for what may not. */
  take(value: unknown): unknown;
  /** What is kept of a value that was shown, to look it up; others as they are. */
  find(value: unknown): unknown;
  /** Something changes now. */
  change(): void;
}

type Method = (...args: unknown[]) => unknown;
type Methods<T> = Readonly<
  Record<string, (passage: Passage, target: T, ...args: unknown[]) => unknown>
>;

/** Names that a proxy answers to, and nothing else has: what it stands for, and whose it is. */
export const rawOf: unique symbol = Symbol("rawOf");
export const trackerOf: unique symbol = Symbol("trackerOf");

/** Methods of Date and typed arrays that change them. */
const dateSetter = /^set/;
const arraySetters = new Set(["set", "fill", "copyWithin", "sort", "reverse"]);

/** A proxy of a Map, Set, Date or typed array, which keep their data where no proxy sees it; undefined for all others. */
export function collectionProxy(value: object, passage: Passage): object | undefined {
  if (value instanceof Map) return tracked(value, mapMethods, passage);
  if (value instanceof Set) return tracked(value, setMethods, passage);
  if (value instanceof Date) return whole(value, (name) => dateSetter.test(name), passage);
  if (ArrayBuffer.isView(value)) return whole(value, (name) => arraySetters.has(name), passage);
  return undefined;
}

function tracked<T extends object>(target: T, methods: Methods<T>, passage: Passage): T {
  const bound = new Map<string | symbol, Method>();
  return new Proxy(target, {
    get(_, name) {
      const known = bound.get(name);
      if (known !== undefined) return known;
      if (name === rawOf) return target;
      if (name === trackerOf) return passage;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function" || name === "constructor") return member;
      const method = methods[name === Symbol.iterator ? "@@iterator" : String(name)];
      const own: Method =
        method === undefined
          ? unknownMethod(target, member as Method, passage)
          : (...args) => method(passage, target, ...args);
      bound.set(name, own);
      return own;
    },
    set: () => false,
  });
}

/** A method that came with a newer runtime: it may change its object, and may return parts of it. */
function unknownMethod(target: object, method: Method, passage: Passage): Method {
  return (...args) => {
    passage.change();
    const found = args.map((each) => passage.find(each));
    return passage.see(Reflect.apply(method, target, found));
  };
}

/** Its methods see the object itself; those that change it say so first. */
function whole<T extends object>(
  target: T,
  changes: (name: string) => boolean,
  passage: Passage,
): T {
  return new Proxy(target, {
    get(_, name) {
      if (name === rawOf) return target;
      if (name === trackerOf) return passage;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function" || name === "constructor") return member;
      const call = member.bind(target) as Method;
      // It shares the bytes, so that a change in it is one here.
      if (name === "subarray") return (...args: unknown[]) => passage.see(call(...args));
      if (typeof name === "symbol" || !changes(name)) return call;
      return (...args: unknown[]) => {
        passage.change();
        return call(...args);
      };
    },
    set(_, name, value) {
      passage.change();
      return Reflect.set(target, name, value, target);
    },
  });
}

function* mapEntries(
  passage: Passage,
  map: ReadonlyMap<unknown, unknown>,
): Generator<[unknown, unknown]> {
  for (const [key, value] of map) yield [passage.see(key), passage.see(value)];
}

const mapMethods: Methods<Map<unknown, unknown>> = {
  get: (passage, map, key) => passage.see(map.get(passage.find(key))),
  has: (passage, map, key) => map.has(passage.find(key)),
  set(passage, map, key, value) {
    const raw = passage.take(value);
    const rawKey = passage.take(key);
    passage.change();
    map.set(rawKey, raw);
    return passage.see(map);
  },
  delete(passage, map, key) {
    passage.change();
    return map.delete(passage.find(key));
  },
  clear(passage, map) {
    passage.change();
    map.clear();
  },
  *keys(passage, map) {
    for (const key of map.keys()) yield passage.see(key);
  },
  *values(passage, map) {
    for (const value of map.values()) yield passage.see(value);
  },
  entries: mapEntries,
  "@@iterator": mapEntries,
  forEach(passage, map, visit) {
    for (const [key, value] of map) {
      (visit as Method)(passage.see(value), passage.see(key), passage.see(map));
    }
  },
};

function* setValues(passage: Passage, set: ReadonlySet<unknown>): Generator {
  for (const value of set) yield passage.see(value);
}

const setMethods: Methods<Set<unknown>> = {
  has: (passage, set, value) => set.has(passage.find(value)),
  add(passage, set, value) {
    const raw = passage.take(value);
    passage.change();
    set.add(raw);
    return passage.see(set);
  },
  delete(passage, set, value) {
    passage.change();
    return set.delete(passage.find(value));
  },
  clear(passage, set) {
    passage.change();
    set.clear();
  },
  keys: setValues,
  values: setValues,
  "@@iterator": setValues,
  *entries(passage, set) {
    for (const value of set) yield [passage.see(value), passage.see(value)];
  },
  forEach(passage, set, visit) {
    for (const value of set) {
      (visit as Method)(passage.see(value), passage.see(value), passage.see(set));
    }
  },
};
