/*
 * A zone's clock. `wall` is what the clock shows, as if it were UTC: milliseconds. What a zone's
 * offset is comes from the ICU data of the process; folding never asks for it.
 */

const DAY_MS = 24 * 3_600_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** @throws RangeError where there is no such zone */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  formats.set(zone, format);
  return format;
}

export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** What the clock shows at the instant; whole seconds. */
export function wallOf(at: number, zone: string): number {
  const parts = formatOf(zone).formatToParts(at);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
}

const offsetAt = (at: number, zone: string): number =>
  wallOf(at, zone) - Math.floor(at / 1_000) * 1_000;

/**
 * When the clock shows this: of two such instants the first; where it is skipped, the instant at
 * which the clock is put forward. Clocks are changed at most once in any two days.
 */
export function instantOf(wall: number, zone: string): number {
  const before = offsetAt(wall - DAY_MS, zone);
  const after = offsetAt(wall + DAY_MS, zone);
  const shown = [wall - before, wall - after].filter((at) => wallOf(at, zone) === wall);
  return shown.length > 0 ? Math.min(...shown) : changeBetween(wall - DAY_MS, wall + DAY_MS, zone);
}

/** The first instant with the offset that holds at the end. */
function changeBetween(from: number, to: number, zone: string): number {
  const after = offsetAt(to, zone);
  let [low, high] = [Math.floor(from / 1_000), Math.ceil(to / 1_000)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * 1_000, zone) === after) high = middle;
    else low = middle + 1;
  }
  return high * 1_000;
}
