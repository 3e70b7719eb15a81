import type { z } from 'zod';

/** Of a union's issue the one inside says more, where every alternative fails at one place. */
export function deepestIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.map((issues) => issues[0]).filter((first) => first !== undefined);
  const longest = inner.reduce(
    (a, b) => (b.path.length > a.path.length ? b : a),
    inner[0] ?? issue,
  );
  return { ...longest, path: [...issue.path, ...longest.path] };
}
