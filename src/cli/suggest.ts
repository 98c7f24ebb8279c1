/** ` Did you mean X?` for the known name nearest to a wrong one; empty when none is near. */
export function suggestion(wrong: string, known: readonly string[], prefix = ""): string {
  const limit = Math.max(2, Math.floor(wrong.length / 3));
  const [nearest] = known
    .map((name) => ({ name, distance: distance(wrong, name) }))
    .filter((each) => each.distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return nearest === undefined ? "" : ` Did you mean ${prefix}${nearest.name}?`;
}

/** What is said to a wrong name where the known ones are few: the nearest, or else all of them. */
export function choice(wrong: string, known: readonly string[]): string {
  return suggestion(wrong, known) || ` There are ${known.join(", ")}.`;
}

/** Letters to insert, delete or replace to turn `a` into `b` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...a].entries()) {
    const next = [line + 1];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = at(row, column - 1) + (letter === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, at(row, column) + 1, at(next, column - 1) + 1));
    }
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
