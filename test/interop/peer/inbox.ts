/** How long a test waits for what ought to come at once, milliseconds: machines are busy. */
export const patienceMs = 15_000;

interface Waiter<T> {
  readonly wanted: (item: T) => boolean;
  readonly take: (item: T) => void;
}

/** What has come and was not taken yet; takes each item once, in order of arrival. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiters = new Set<Waiter<T>>();

  get size(): number {
    return this.#items.length;
  }

  push(item: T): void {
    for (const waiter of this.#waiters) {
      if (!waiter.wanted(item)) continue;
      this.#waiters.delete(waiter);
      return waiter.take(item);
    }
    this.#items.push(item);
  }

  /** The first item that is `wanted`, which may still have to come. */
  take(what: string, wanted: (item: T) => boolean = () => true, limitMs = patienceMs): Promise<T> {
    const at = this.#items.findIndex(wanted);
    if (at >= 0) return Promise.resolve(this.#items.splice(at, 1)[0] as T);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        wanted,
        take: (item) => {
          clearTimeout(timer);
          resolve(item);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`not within ${limitMs} ms: ${what}`));
      }, limitMs);
      this.#waiters.add(waiter);
    });
  }

  /** Takes all that is there. */
  drain(): T[] {
    return this.#items.splice(0);
  }
}
