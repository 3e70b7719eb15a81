import type { Commit } from '@athena/event-log';
import { TableModel, createDataSource, createPool } from '@athena/projection';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../../tools/stack/servers.mjs';
import type { Queue } from '../domain/queue.scenario.js';
import { tasks } from '../projections/tasks.js';
import { taskQueueMigrations } from '../schema.js';

/** The read model in a Postgres of its own, filled with what happens to queues. */
export class ReadModel {
  readonly pool: Pool;
  readonly url: string;
  readonly #postgres: RunningPostgres;
  #model = new TableModel(tasks);
  /** Events of each queue that are folded already. */
  #folded = new WeakMap<Queue, number>();
  #seq = 0;

  private constructor(postgres: RunningPostgres) {
    this.#postgres = postgres;
    this.url = postgres.url;
    this.pool = createPool(postgres.url);
  }

  static async start(): Promise<ReadModel> {
    const postgres = await startPostgres();
    const { url } = postgres;
    await (
      await createDataSource({ url, entities: [], migrations: taskQueueMigrations })
    ).destroy();
    return new ReadModel(postgres);
  }

  async stop(): Promise<void> {
    await this.pool.end();
    await this.#postgres.stop();
  }

  /** Writes what happened to the queue since it was folded last, by the projection's own writer. */
  async fold(queue: Queue): Promise<void> {
    const news = queue.log.slice(this.#folded.get(queue) ?? 0);
    this.#folded.set(queue, queue.log.length);
    const client = await this.pool.connect();
    try {
      await client.query('begin');
      await this.#model.write(client, commitsOf(news, ++this.#seq));
      await client.query('commit');
    } finally {
      client.release();
    }
  }

  /** As before the first fold. */
  async empty(): Promise<void> {
    await this.pool.query('truncate tasks_v2, task_counts_v2');
    this.#model.forget();
  }
}

/** A commit for each event: when it happened is the commit's. */
const commitsOf = (news: Queue['log'], seq: number): Commit[] =>
  news.map(({ event, at, rev, index }) => ({
    seq,
    at,
    header: { partition: 'task.0', rev } as Commit['header'],
    // What comes before it in its commit was folded before it too.
    events: [...Array<typeof event>(index).fill(NOTHING), event],
    lines: Array<string>(index + 1).fill(JSON.stringify(event)),
    subject: '',
    hash: '',
    bytes: 0,
  }));

const NOTHING = { type: 'Nothing', v: 1, project: '', id: '', data: {} };
