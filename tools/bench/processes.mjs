import { readFileSync, readdirSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** `/proc/<pid>/stat` from the third field on; null when the process is gone. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** The process and all that descend from it, except for those in `except` and below. */
export function descendants(rootPid, except = []) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) && statOf(name);
    if (stat) parents.set(Number(name), Number(stat[1]));
  }
  const tree = new Set([rootPid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const [pid, parent] of parents) {
      if (tree.has(parent) && !tree.has(pid) && !except.includes(pid)) {
        tree.add(pid);
        grown = true;
      }
    }
  }
  return [...tree];
}

/** CPU time spent so far by these processes, in microseconds. */
export function cpuMicros(pids) {
  const ticks = pids.map((pid) => {
    const stat = statOf(pid);
    return stat ? Number(stat[11]) + Number(stat[12]) : 0;
  });
  return (ticks.reduce((sum, value) => sum + value, 0) / TICKS_PER_SECOND) * 1e6;
}

/** Resident memory of these processes, in MiB (shared pages count in each). */
export const residentMiB = (pids) =>
  Math.round(
    pids
      .map((pid) => Number(statOf(pid)?.[21] ?? 0) * PAGE_BYTES)
      .reduce((sum, bytes) => sum + bytes, 0) / 1_048_576,
  );

/** p in [0, 100] of sorted values, by nearest rank. */
export const percentile = (sorted, p) =>
  sorted.length === 0
    ? null
    : sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)];

export const rounded = (value) => (value === null ? null : Math.round(value * 100) / 100);
