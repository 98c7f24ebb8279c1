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
type Methods<T> = Readonly<Record<string, (target: T, ...args: unknown[]) => unknown>>;

/** Methods of Date and typed arrays that change them. */
const dateSetter = /^set/;
const arraySetters = new Set(["set", "fill", "copyWithin", "sort", "reverse"]);

/** Proxies of Map, Set, Date and typed arrays, which keep their data where no proxy sees it. */
export class TrackedCollections {
  readonly #passage: Passage;
  readonly #map: Methods<Map<unknown, unknown>>;
  readonly #set: Methods<Set<unknown>>;

  constructor(passage: Passage) {
    this.#passage = passage;
    this.#map = mapMethods(passage);
    this.#set = setMethods(passage);
  }

  /** A proxy of such an object; undefined for all others. */
  proxy(value: object): object | undefined {
    if (value instanceof Map) return this.#proxy(value, this.#map);
    if (value instanceof Set) return this.#proxy(value, this.#set);
    if (value instanceof Date) return this.#whole(value, (name) => dateSetter.test(name));
    if (ArrayBuffer.isView(value)) return this.#whole(value, (name) => arraySetters.has(name));
    return undefined;
  }

  #proxy<T extends object>(target: T, methods: Methods<T>): T {
    const bound = new Map<string | symbol, Method>();
    const unknown = (method: Method): Method => this.#unknown(target, method);
    return new Proxy(target, {
      get(_, name) {
        const known = bound.get(name);
        if (known !== undefined) return known;
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function" || name === "constructor") return member;
        const method = methods[name === Symbol.iterator ? "@@iterator" : String(name)];
        const own: Method =
          method === undefined ? unknown(member as Method) : (...args) => method(target, ...args);
        bound.set(name, own);
        return own;
      },
      set: () => false,
    });
  }

  /** A method that came with a newer runtime: it may change its object, and may return parts of it. */
  #unknown(target: object, method: Method): Method {
    const { see, find, change } = this.#passage;
    return (...args) => {
      change();
      return see(Reflect.apply(method, target, args.map(find)));
    };
  }

  /** Its methods see the object itself; those that change it say so first. */
  #whole<T extends object>(target: T, changes: (name: string) => boolean): T {
    const { change, see } = this.#passage;
    return new Proxy(target, {
      get(_, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function" || name === "constructor") return member;
        const call = member.bind(target) as Method;
        // It shares the bytes, so that a change in it is one here.
        if (name === "subarray") return (...args: unknown[]) => see(call(...args));
        if (typeof name === "symbol" || !changes(name)) return call;
        return (...args: unknown[]) => {
          change();
          return call(...args);
        };
      },
      set(_, name, value) {
        change();
        return Reflect.set(target, name, value, target);
      },
    });
  }
}

function mapMethods({ see, take, find, change }: Passage): Methods<Map<unknown, unknown>> {
  function* entries(map: Map<unknown, unknown>): Generator<[unknown, unknown]> {
    for (const [key, value] of map) yield [see(key), see(value)];
  }
  return {
    get: (map, key) => see(map.get(find(key))),
    has: (map, key) => map.has(find(key)),
    set(map, key, value) {
      const raw = take(value);
      const rawKey = take(key);
      change();
      map.set(rawKey, raw);
      return see(map);
    },
    delete(map, key) {
      change();
      return map.delete(find(key));
    },
    clear(map) {
      change();
      map.clear();
    },
    *keys(map) {
      for (const key of map.keys()) yield see(key);
    },
    *values(map) {
      for (const value of map.values()) yield see(value);
    },
    entries,
    "@@iterator": entries,
    forEach(map, visit) {
      for (const [key, value] of map) (visit as Method)(see(value), see(key), see(map));
    },
  };
}

function setMethods({ see, take, find, change }: Passage): Methods<Set<unknown>> {
  function* values(set: Set<unknown>): Generator {
    for (const value of set) yield see(value);
  }
  return {
    has: (set, value) => set.has(find(value)),
    add(set, value) {
      const raw = take(value);
      change();
      set.add(raw);
      return see(set);
    },
    delete(set, value) {
      change();
      return set.delete(find(value));
    },
    clear(set) {
      change();
      set.clear();
    },
    keys: values,
    values,
    "@@iterator": values,
    *entries(set) {
      for (const value of set) yield [see(value), see(value)];
    },
    forEach(set, visit) {
      for (const value of set) (visit as Method)(see(value), see(value), see(set));
    },
  };
}
