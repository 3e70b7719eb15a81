import { setTimeout as pause } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIRST_PREV, MemoryLog, encodeCommit, hashOf, subjectOf } from '@athena/event-log';
import { ProjectionRunner, createDataSource, createPool } from '@athena/projection';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../../tools/stack/servers.mjs';
import { Archive } from './archive.js';
import { CreateEpisodicEvents1793491200200 } from './create-episodic-events.js';

const PATIENCE_MS = 15_000;
const KILLS = 3;
const TEXT = 'x'.repeat(2_000);

let dir: string;
let postgres: RunningPostgres;
let pool: Pool;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'athena-archive-'));
  postgres = await startPostgres({ dir });
  const migrations = [CreateEpisodicEvents1793491200200];
  const source = await createDataSource({ url: postgres.url, entities: [], migrations });
  await source.destroy();
  pool = createPool(postgres.url);
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** An owner that appends a commit of ten events every now and then, until told to stop. */
class BusyOwner {
  readonly #log: MemoryLog;
  #busy = true;
  #prev = FIRST_PREV;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  async run(): Promise<number> {
    let seq = 0;
    while (this.#busy) {
      seq = await this.#commit(seq);
      await pause(1);
    }
    return seq;
  }

  stop(): void {
    this.#busy = false;
  }

  async #commit(seq: number): Promise<number> {
    const at = new Date(1_767_225_600_000 + seq).toISOString();
    const header = { athena: 1, partition: 'task.0', epoch: 1, rev: seq + 1, at } as const;
    const lines = Array.from({ length: 10 }, (_, n) =>
      JSON.stringify({ type: 'Step', v: 1, project: 'p', id: `t${n}`, data: { seq, n, TEXT } }),
    );
    const payload = encodeCommit({ ...header, prev: this.#prev, count: lines.length }, lines);
    this.#prev = hashOf(payload);
    return this.#log.append(subjectOf('task.0'), payload, seq);
  }
}

describe('the archive', () => {
  it('is the log, event by event, after Postgres was killed while it was written', async () => {
    const log = new MemoryLog();
    const runner = new ProjectionRunner({ pool, feed: log, log, model: new Archive() });
    void runner.start();
    const owner = new BusyOwner(log);
    const run = owner.run();
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(150 + 37 * kill);
      const { port } = postgres;
      await postgres.kill();
      postgres = await startPostgres({ dir, port });
    }
    owner.stop();
    const end = await run;
    await runner.waitFor(end, PATIENCE_MS).catch(() => runner.waitFor(end, PATIENCE_MS));
    await runner.stop();

    const { rows } = await pool.query(
      'select seq::int, idx, event::text as line from episodic_events order by seq, idx',
    );
    const logged = log.messages.flatMap(({ seq, payload }) =>
      Buffer.from(payload)
        .toString()
        .split('\n')
        .slice(1)
        .map((line, idx) => ({ seq, idx, line })),
    );
    expect(logged.length).toBeGreaterThan(100);
    expect(rows.length).toBe(logged.length);
    expect(rows).toEqual(logged);
  });
});
