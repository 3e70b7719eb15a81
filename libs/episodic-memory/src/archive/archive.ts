import type { Commit, LoggedEvent } from '@athena/event-log';
import { CopyRows, copyInto, type ReadModel } from '@athena/projection';
import type { PoolClient } from 'pg';
import { episodicEvents } from './episodic-events.js';

const { table, columns } = episodicEvents;
const COLUMN_NAMES = columns.map(({ name }) => name);

/**
 * The second copy of every event: its text as it stands in the log, and what it is found by.
 * Append-only; written by COPY, with its checkpoint in the same transaction.
 */
export class Archive implements ReadModel {
  readonly name = table;
  readonly version = 1;
  /** The copy is there for the day on which the log is not. */
  readonly durable = true;

  async write(client: PoolClient, commits: readonly Commit[]): Promise<number> {
    const rows = new CopyRows(COLUMN_NAMES.length);
    let count = 0;
    for (const commit of commits) count += addCommit(rows, commit);
    await copyInto(client, table, COLUMN_NAMES, rows);
    return count;
  }

  forget(): void {
    // Nothing is remembered between batches.
  }
}

/** Fields in the order of `columns`. */
function addCommit(rows: CopyRows, commit: Commit): number {
  const { seq, at, header, events, lines } = commit;
  const { partition, rev, epoch } = header;
  const hash = Buffer.from(commit.hash, 'hex');
  const aggregate = partition.slice(0, partition.indexOf('.'));
  for (let index = 0; index < events.length; index++) {
    const { v, project, id, type, actor, command, correlation } = events[index] as LoggedEvent;
    rows.row();
    rows.field('int8', seq);
    rows.field('int4', index);
    rows.field('int4', v);
    rows.field('int8', rev);
    rows.field('int8', epoch);
    rows.field('timestamptz', at);
    rows.field('bytea', hash);
    rows.field('text', project);
    rows.field('text', aggregate);
    rows.field('text', id);
    rows.field('text', type);
    rows.field('text', actor);
    rows.field('text', command);
    rows.field('text', correlation);
    rows.field('text', partition);
    rows.jsonText(lines[index] as string);
  }
  return events.length;
}
