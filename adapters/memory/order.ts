/** Whether two byte strings are the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** The order of SQLite's UTF-8, which differs from that of UTF-16 beyond the basic plane. */
export function byCodePoint(a: string, b: string): number {
  const right = b[Symbol.iterator]();
  for (const left of a) {
    const other = right.next();
    if (other.done) return 1;
    const difference = (left.codePointAt(0) ?? 0) - (other.value.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return right.next().done ? 0 : -1;
}
