/** Told of each piece of work as it begins. */
type Watcher = (work: Promise<unknown>) => void;

/** What runtimes do in threads, which no number of turns of the event loop waits for. */
const operations = [
  ...(["decrypt", "deriveBits", "deriveKey", "digest", "encrypt", "exportKey"] as const),
  ...(["generateKey", "importKey", "sign", "unwrapKey", "verify", "wrapKey"] as const),
];

const watchers = new Set<Watcher>();

/** Tells `watcher` of all cryptography in this process, whoever asks for it, until the function that it returns is called. */
export function watchCryptography(watcher: Watcher): () => void {
  if (watchers.size === 0) wrap(crypto.subtle);
  watchers.add(watcher);
  return () => {
    if (watchers.delete(watcher) && watchers.size === 0) unwrap(crypto.subtle);
  };
}

function wrap(subtle: SubtleCrypto): void {
  for (const name of operations) {
    const operation = subtle[name] as (...given: unknown[]) => Promise<unknown>;
    const watched = (...given: unknown[]): Promise<unknown> => {
      const work = operation.apply(subtle, given);
      for (const watcher of watchers) watcher(work);
      return work;
    };
    Object.defineProperty(subtle, name, { value: watched, configurable: true });
  }
}

/** What the object itself has stands before its class's own methods. */
function unwrap(subtle: SubtleCrypto): void {
  for (const name of operations) Reflect.deleteProperty(subtle, name);
}
