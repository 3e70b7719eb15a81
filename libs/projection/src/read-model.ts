import type { Commit } from '@athena/event-log';
import type { PoolClient } from 'pg';
import type { Projection } from './projection.js';

/** What a runner keeps up to date with the log: a projection's table, or the archive. */
export interface ReadModel {
  readonly name: string;
  readonly version: number;
  /**
   * Whether a commit waits for the disk. A model that doesn't can lose its last moments with the
   * server, rows and checkpoint together, and reads them from the log again.
   */
  readonly durable: boolean;
  /** What it folds by, where it can be folded anew beside itself. */
  readonly projection?: Projection;
  /** Which of the log's subjects it reads; absent: all. */
  readonly subjects?: (subject: string) => boolean;
  /** Writes what the commits say, in the open transaction; answers with the rows touched. */
  write(client: PoolClient, commits: readonly Commit[]): Promise<number>;
  /** The transaction was lost: what is remembered of the table may not hold. */
  forget(): void;
}
