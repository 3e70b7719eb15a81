/** Whether a subject falls under a pattern: `*` is one token, `>` at the end is one or more. */
export function matches(pattern: readonly string[], subject: readonly string[]): boolean {
  const rest = pattern.at(-1) === '>';
  if (rest ? subject.length < pattern.length : subject.length !== pattern.length) return false;
  const fixed = rest ? pattern.slice(0, -1) : pattern;
  return fixed.every((token, place) => token === '*' || token === subject[place]);
}
