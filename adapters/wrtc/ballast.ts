import { getHeapStatistics } from "node:v8";

/** Address space that is held at most, bytes: V8 then waits for about 64 MB of garbage. */
const maxBytes = 268_435_456;

/** Part of the heap's limit, so that little memory is not taken for full. */
const limitShare = 8;

let ballast: ArrayBuffer | undefined;

/**
 * Holds memory that is never touched, and so takes none: V8 collects everything when what it holds, buffers outside its heap
 * included, has grown by some tenths. Idempotent.
 */
export function takeBallast(): void {
  if (ballast !== undefined) return;
  const { heap_size_limit: limit } = getHeapStatistics();
  ballast = allocate(Math.min(maxBytes, Math.floor(limit / limitShare)));
}

/** Nothing where a limit on address space forbids it: to try again would have V8 collect everything each time. */
function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch {
    return new ArrayBuffer(0);
  }
}
