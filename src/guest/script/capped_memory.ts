const pageBytes = 65_536;

/** Memory that the engine begins with, bytes. */
export const leastMemoryBytes: number = 256 * pageBytes;

/** How often the engine asks for one growth: for more than it needs first, for less when that is refused. */
const attempts = 3;

/** Memory of one guest. */
export interface CappedMemory {
  readonly memory: WebAssembly.Memory;
  /** Whether what the guest wanted was ever refused, even if it went on without. */
  readonly exceeded: boolean;
}

/** Memory that never has more than `maxBytes`, and knows when more was wanted. */
export function cappedMemory(maxBytes: number): CappedMemory {
  const memory = new WebAssembly.Memory({
    initial: leastMemoryBytes / pageBytes,
    maximum: Math.floor(maxBytes / pageBytes),
  });
  const grow = memory.grow.bind(memory);
  const capped = { memory, exceeded: false };
  let refused = 0;
  memory.grow = (pages) => {
    try {
      const before = grow(pages);
      refused = 0;
      return before;
    } catch (error) {
      refused += 1;
      capped.exceeded ||= refused === attempts;
      throw error;
    }
  };
  return capped;
}
