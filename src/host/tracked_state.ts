import { ActrError } from "../errors.ts";
import { requireStorable } from "./storable.ts";
import { TrackedCollections } from "./tracked_collections.ts";

/**
 * A value that tells of every change in it, however deep: objects and arrays are seen through proxies, and Map,
 * Set, Date and typed arrays through wrapped methods. What is put in must be data, and belongs to it from then on.
 * An ArrayBuffer is shown as it is: a change through a view of it is saved with the next one that is told of.
 */
export class TrackedState {
  readonly #onChange: () => void;
  readonly #collections: TrackedCollections;
  /** Raw objects by their proxies, and the other way round. */
  readonly #proxies = new WeakMap<object, object>();
  readonly #raws = new WeakMap<object, object>();
  readonly #handler: ProxyHandler<object>;
  #raw: unknown;
  #locked = false;

  /** @throws ActrError `actor.unsupported_value` for what is no data. */
  constructor(value: unknown, onChange: () => void) {
    requireStorable(value);
    this.#raw = value;
    this.#onChange = onChange;
    const see = (each: unknown): unknown => this.#see(each);
    const take = (each: unknown): unknown => this.#take(each);
    const find = (each: unknown): unknown => this.#find(each);
    this.#collections = new TrackedCollections({ see, take, find, change: () => this.#change() });
    this.#handler = {
      get: (target, name, receiver) => see(Reflect.get(target, name, receiver)),
      getOwnPropertyDescriptor: (target, name) => this.#describe(target, name),
      set: (target, name, each) => this.#set(target, name, each),
      defineProperty: (target, name, descriptor) => this.#define(target, name, descriptor),
      deleteProperty: (target, name) => {
        this.#change();
        return Reflect.deleteProperty(target, name);
      },
      setPrototypeOf: () => false,
      preventExtensions: () => false,
    };
  }

  /** What actors see. */
  get value(): unknown {
    return this.#see(this.#raw);
  }

  /** Replaces all of it. @throws ActrError `actor.unsupported_value`, `actor.state_mutation_reentrant`. */
  set value(value: unknown) {
    const raw = this.#take(value);
    this.#change();
    this.#raw = raw;
  }

  /** What is stored. */
  get raw(): unknown {
    return this.#raw;
  }

  /** Runs `observe`, during which every change is an error. */
  observed(observe: () => void): void {
    this.#locked = true;
    try {
      observe();
    } finally {
      this.#locked = false;
    }
  }

  #change(): void {
    if (this.#locked) {
      const message = "onStateChange may not change the state; do it in the action, or later";
      throw new ActrError("actor.state_mutation_reentrant", message);
    }
    this.#onChange();
  }

  /** A value as it may be shown: what can change is shown through a proxy. */
  #see(value: unknown): unknown {
    if (typeof value !== "object" || value === null || value instanceof ArrayBuffer) return value;
    const known = this.#proxies.get(value);
    if (known !== undefined) return known;
    const proxy = this.#collections.proxy(value) ?? new Proxy(value, this.#handler);
    this.#proxies.set(value, proxy);
    this.#raws.set(proxy, value);
    return proxy;
  }

  /** What is kept of a value that was shown; others as they are. */
  #find(value: unknown): unknown {
    return typeof value === "object" && value !== null ? (this.#raws.get(value) ?? value) : value;
  }

  /** A value as it may be kept: proxies of what is kept already are that. */
  #take(value: unknown): unknown {
    if (typeof value !== "object" || value === null) {
      requireStorable(value);
      return value;
    }
    const raw = this.#raws.get(value);
    if (raw !== undefined) return raw;
    requireStorable(value);
    return this.#unwrapped(value);
  }

  /** New objects may hold proxies of old ones. */
  #unwrapped(value: object): object {
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) value[i] = this.#inner(value[i]);
      return value;
    }
    if (value instanceof Map || value instanceof Set) return this.#unwrappedCollection(value);
    if (value instanceof Date || ArrayBuffer.isView(value)) return value;
    const record = value as Record<string, unknown>;
    for (const key of Object.keys(record)) {
      const inner = this.#inner(record[key]);
      // Frozen objects are taken as they are, and so cannot hold proxies that would have to go.
      if (inner !== record[key]) record[key] = inner;
    }
    return value;
  }

  /** Keeps the order of its entries. */
  #unwrappedCollection(value: Map<unknown, unknown> | Set<unknown>): object {
    const entries = [...value.entries()];
    value.clear();
    for (const [key, each] of entries) {
      if (value instanceof Map) value.set(this.#inner(key), this.#inner(each));
      else value.add(this.#inner(each));
    }
    return value;
  }

  #inner(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    return this.#raws.get(value) ?? this.#unwrapped(value);
  }

  #set(target: object, name: string | symbol, value: unknown): boolean {
    const raw = this.#take(value);
    this.#change();
    return Reflect.set(target, name, raw);
  }

  #define(target: object, name: string | symbol, descriptor: PropertyDescriptor): boolean {
    if (!("value" in descriptor)) return false;
    const value = this.#take(descriptor.value);
    this.#change();
    return Reflect.defineProperty(target, name, { ...descriptor, value });
  }

  #describe(target: object, name: string | symbol): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(target, name);
    // An invariant of proxies: what cannot be configured is shown as it is.
    if (descriptor === undefined || descriptor.configurable === false) return descriptor;
    return "value" in descriptor
      ? { ...descriptor, value: this.#see(descriptor.value) }
      : descriptor;
  }
}
