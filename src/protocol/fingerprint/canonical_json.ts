/** A value of a canonical form. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue };

/** An object with its keys in the order given, without those that say nothing: absent, empty and false ones. */
export function filled(
  entries: Readonly<Record<string, CanonicalValue | undefined>>,
): Record<string, CanonicalValue> {
  const result: Record<string, CanonicalValue> = {};
  for (const [key, value] of Object.entries(entries)) {
    if (value === undefined || value === false || value === "") continue;
    if (Array.isArray(value) && value.length === 0) continue;
    result[key] = value;
  }
  return result;
}

/** Orders texts by their UTF-8 bytes, which is by code points. */
function byBytes(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (const [at, one] of left.entries()) {
    const difference = (one.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Orders by name, as {@link byBytes}. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return byBytes(a.name, b.name);
}

/** Orders by number, and by name where that is the same. */
export function byNumber(
  a: { readonly name: string; readonly number: number },
  b: { readonly name: string; readonly number: number },
): number {
  return a.number - b.number || byName(a, b);
}

/** Ascending, each once. */
export function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort(byBytes);
}
