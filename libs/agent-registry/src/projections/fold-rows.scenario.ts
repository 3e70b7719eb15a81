import type { LoggedEvent } from '@athena/event-log';
import type { Projection } from '@athena/projection';

export type Happening = readonly [type: string, id: string, data: object];

/** Folds events into a projection's rows as its runner does, keyed by the joined key. */
export function foldRows<R>(
  projection: Projection,
  happenings: readonly Happening[],
  at = 0,
): Map<string, R> {
  const rows = new Map<string, Record<string, unknown>>();
  happenings.forEach(([type, id, data], n) => {
    const event: LoggedEvent = { type, v: 1, project: 'default', id, data };
    const placed = { seq: n + 1, index: 0, at: at + n, partition: 'agent.0', rev: n + 1 };
    const key = projection.keyOf(event, placed)?.join('/');
    if (key === undefined) return;
    const row = projection.apply(rows.get(key) ?? null, event, placed);
    if (row) rows.set(key, row);
    else rows.delete(key);
  });
  return rows as Map<string, R>;
}
