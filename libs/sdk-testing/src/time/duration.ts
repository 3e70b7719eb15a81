/** Milliseconds, or a number with a unit: `'250ms'`, `'30s'`, `'5m'`, `'1.5h'`, `'2d'`. */
export type Duration = number | `${number}${keyof typeof UNITS}`;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const TEXT = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** @throws RangeError where it is not a duration */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number' && duration >= 0) return duration;
  const [, count, unit] = TEXT.exec(String(duration)) ?? [];
  if (count === undefined)
    throw new RangeError(`${duration} is not a duration: use '5m' or 300000`);
  return Number(count) * UNITS[unit as keyof typeof UNITS];
}
