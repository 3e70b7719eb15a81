import type { Seq } from '@athena/event-log';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';

/** An event as the archive has it. */
export interface ArchivedEvent {
  readonly seq: Seq;
  readonly idx: number;
  readonly version: number;
  readonly rev: number;
  readonly epoch: number;
  /** Milliseconds. */
  readonly at: number;
  /** In hex. */
  readonly hash: string;
  readonly project: string;
  readonly aggregate: string;
  readonly aggregate_id: string;
  readonly type: string;
  readonly actor: string | null;
  readonly command: string | null;
  readonly correlation: string | null;
  readonly partition: string;
  readonly text: string;
}

const RANGE = `
  select seq, idx, version, rev, epoch, at, encode(hash, 'hex') as hash, project, aggregate,
    aggregate_id, type, actor, command, correlation, partition, event::text as text
  from episodic_events where seq between $1 and $2 order by seq, idx`;
const BEFORE = `
  select seq from episodic_events where partition = $1 and seq < $2 order by seq desc limit 1`;
const END = 'select seq from episodic_events order by seq desc limit 1';

/** The archive's rows, for comparing them with the log. @throws Refused UNAVAILABLE */
export class ArchiveReader {
  readonly #pool: Pick<Pool, 'query'>;

  constructor(pool: Pick<Pool, 'query'>) {
    this.#pool = pool;
  }

  /** By position, both ends inclusive. */
  async range(from: Seq, to: Seq): Promise<Map<Seq, ArchivedEvent[]>> {
    const bySeq = new Map<Seq, ArchivedEvent[]>();
    for (const row of await this.#rows<ArchivedEvent>(RANGE, [from, to])) {
      const rows = bySeq.get(row.seq);
      if (rows) rows.push(row);
      else bySeq.set(row.seq, [row]);
    }
    return bySeq;
  }

  /** Position of a partition's last commit before this one; null where there is none. */
  async before(partition: string, seq: Seq): Promise<Seq | null> {
    return (await this.#rows<{ seq: Seq }>(BEFORE, [partition, seq]))[0]?.seq ?? null;
  }

  /** Position of the last commit that it has; 0: none. */
  async end(): Promise<Seq> {
    return (await this.#rows<{ seq: Seq }>(END, []))[0]?.seq ?? 0;
  }

  async #rows<Row extends object>(text: string, values: unknown[]): Promise<Row[]> {
    const query = this.#pool.query<Row>({ text, values, types: ROW_TYPES });
    return (await orUnavailable(query)).rows;
  }
}
