/** Names further away than this are no slips of the finger. */
const EDITS_MAX = 3;

/** The name that was probably meant. */
export function closest(given: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.min(EDITS_MAX, Math.ceil(given.length / 2)) + 1;
  for (const name of names) {
    const edits = editsBetween(given, name);
    if (edits < least) [best, least] = [name, edits];
  }
  return best;
}

/** Levenshtein's distance, row by row. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
