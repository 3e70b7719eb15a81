import type { LogFinding } from '@athena/contracts';
import type { Commit, LoggedEvent } from '@athena/event-log';
import type { ArchivedEvent } from './archive-reader.js';

export type Flaw = Pick<LogFinding, 'flaw' | 'detail'>;

/** What the archive has of a commit, against the commit itself: the first difference, if any. */
export function compareWithArchive(
  commit: Commit,
  rows: readonly ArchivedEvent[],
): Flaw | undefined {
  const { events, lines, hash } = commit;
  const count = `the commit has ${events.length} events, the archive ${rows.length}`;
  if (rows.length < events.length) return { flaw: 'archive_missing', detail: count };
  if (rows.length > events.length) return { flaw: 'archive_extra', detail: count };
  for (const [index, row] of rows.entries()) {
    const place = `event ${commit.seq}.${index}`;
    if (row.idx !== index) {
      return { flaw: 'archive_missing', detail: `${place} is not in the archive` };
    }
    if (row.text !== lines[index]) {
      return { flaw: 'archive_text', detail: `${place} reads otherwise in the archive` };
    }
    if (row.hash !== hash) {
      return { flaw: 'archive_hash', detail: `${place} has another hash in the archive` };
    }
    const field = differingField(commit, events[index] as LoggedEvent, row);
    if (field) return { flaw: 'archive_fields', detail: `${place}: ${field} differs` };
  }
  return undefined;
}

/** The columns that events are found by say what the event's text says. */
function differingField(
  { header, at }: Commit,
  event: LoggedEvent,
  row: ArchivedEvent,
): string | undefined {
  const { partition, rev, epoch } = header;
  const expected: Partial<ArchivedEvent> = {
    version: event.v,
    rev,
    epoch,
    at,
    project: event.project,
    aggregate: partition.slice(0, partition.indexOf('.')),
    aggregate_id: event.id,
    type: event.type,
    actor: event.actor ?? null,
    command: event.command ?? null,
    correlation: event.correlation ?? null,
    partition,
  };
  const fields = Object.keys(expected) as (keyof ArchivedEvent)[];
  return fields.find((field) => row[field] !== expected[field]);
}
