import { plain } from './plain.js';

const GAP = 2;
/** A column is never squeezed below this. */
const CELL_MIN = 8;

const length = (text: string): number => [...text].length;
const pad = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - length(text)));

/** Two columns, the left one as wide as it needs. */
export function columnsOf(
  rows: readonly (readonly [string, string])[],
  { indent = 0 }: { readonly indent?: number } = {},
): string {
  const width = Math.max(0, ...rows.map(([left]) => length(left)));
  return rows
    .map(([left, right]) =>
      `${' '.repeat(indent)}${pad(left, width)}${' '.repeat(GAP)}${right}`.trimEnd(),
    )
    .join('\n');
}

export const shorten = (text: string, width: number): string =>
  length(text) <= width ? text : `${[...text].slice(0, Math.max(1, width - 1)).join('')}…`;

/** A table with a head; where it is too wide for the terminal its widest columns are shortened. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): string {
  const clean = rows.map((row) => row.map(plain));
  const natural = head.map((title, index) =>
    Math.max(length(title), ...clean.map((row) => length(row[index] ?? ''))),
  );
  const whole = head.map((title) => /Id$/.test(title));
  const widths = fitted(natural, whole, columns - GAP * (head.length - 1));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => pad(shorten(cell, widths[index] ?? 0), widths[index] ?? 0))
      .join(' '.repeat(GAP))
      .trimEnd();
  return [line(head.map((title) => title.toUpperCase())), ...clean.map(line)].join('\n');
}

/** Takes from the widest column until all fit, but not from ids: those are to be copied. */
function fitted(natural: readonly number[], whole: readonly boolean[], room: number): number[] {
  const widths = [...natural];
  let over = widths.reduce((sum, width) => sum + width, 0) - room;
  for (; over > 0; over -= 1) {
    const flexible = widths.map((width, index) => (whole[index] ? 0 : width));
    const width = Math.max(...flexible);
    if (width <= CELL_MIN) break;
    widths[flexible.indexOf(width)] = width - 1;
  }
  return widths;
}
