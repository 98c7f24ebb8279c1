import { requireStorable } from "./storable.ts";
import { collectionProxy, type Passage, rawOf, trackerOf } from "./tracked_collections.ts";

/**
 * What stands before the objects of one state: objects and arrays are seen through proxies, of which this is the
 * handler; Map, Set, Date and typed arrays through wrapped methods.
 */
export class StateProxies implements ProxyHandler<object>, Passage {
  readonly change: () => void;
  /** By what they stand for. */
  #proxies: WeakMap<object, object> | undefined;

  /** @param change called before every change; may refuse it by throwing. */
  constructor(change: () => void) {
    this.change = change;
  }

  /** A proxy of an object; another one each time. */
  proxy(value: object): object {
    return collectionProxy(value, this) ?? new Proxy(value, this);
  }

  see(value: unknown): unknown {
    if (!isShownByProxy(value)) return value;
    this.#proxies ??= new WeakMap();
    const known = this.#proxies.get(value);
    if (known !== undefined) return known;
    const proxy = this.proxy(value);
    this.#proxies.set(value, proxy);
    return proxy;
  }

  find(value: unknown): unknown {
    return typeof value === "object" && value !== null ? (this.#rawOf(value) ?? value) : value;
  }

  take(value: unknown): unknown {
    if (typeof value !== "object" || value === null) {
      requireStorable(value);
      return value;
    }
    const raw = this.#rawOf(value);
    if (raw !== undefined) return raw;
    requireStorable(value);
    return this.#unwrapped(value);
  }

  get(target: object, name: string | symbol, receiver: unknown): unknown {
    if (name === rawOf) return target;
    if (name === trackerOf) return this;
    return this.see(Reflect.get(target, name, receiver));
  }

  set(target: object, name: string | symbol, value: unknown): boolean {
    const raw = this.take(value);
    this.change();
    return Reflect.set(target, name, raw);
  }

  defineProperty(target: object, name: string | symbol, descriptor: PropertyDescriptor): boolean {
    if (!("value" in descriptor)) return false;
    const value = this.take(descriptor.value);
    this.change();
    return Reflect.defineProperty(target, name, { ...descriptor, value });
  }

  deleteProperty(target: object, name: string | symbol): boolean {
    this.change();
    return Reflect.deleteProperty(target, name);
  }

  getOwnPropertyDescriptor(target: object, name: string | symbol): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(target, name);
    // An invariant of proxies: what cannot be configured is shown as it is.
    if (descriptor === undefined || descriptor.configurable === false) return descriptor;
    return "value" in descriptor
      ? { ...descriptor, value: this.see(descriptor.value) }
      : descriptor;
  }

  setPrototypeOf(): boolean {
    return false;
  }

  preventExtensions(): boolean {
    return false;
  }

  /** What one of its own proxies stands for. */
  #rawOf(value: object): object | undefined {
    const shown = value as { readonly [rawOf]?: object; readonly [trackerOf]?: unknown };
    return shown[trackerOf] === this ? shown[rawOf] : undefined;
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
    return this.#rawOf(value) ?? this.#unwrapped(value);
  }
}

/** Whether it can change: then it is shown through a proxy. */
export function isShownByProxy(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof ArrayBuffer);
}
