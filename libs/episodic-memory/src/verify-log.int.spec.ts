import { limits, verifyLog } from '@athena/contracts';
import type { Output, RawInput } from '@athena/operation';
import type { ProjectionRunner } from '@athena/projection';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { handleVerifyLog } from './operations/verify-log.js';
import { MemoryWorld, event } from './memory-world.scenario.js';

let world: MemoryWorld;
beforeAll(async () => {
  world = await MemoryWorld.start();
  for (let n = 0; n < 50; n++) {
    const project = n % 3 ? 'default' : 'other';
    const data = { said: 'in confidence', n };
    const events = [event(`t${n}`, 'Step', { project, data }), event(`t${n}`, 'Stop')];
    await world.commit(n % 5 ? 'task.0' : 'agent.0', events);
  }
});
afterAll(async () => {
  await world?.stop();
});
beforeEach(async () => {
  await world.caughtUp();
});

type Verified = Output<typeof verifyLog>;
const verify = (input: RawInput<typeof verifyLog> = {}): Promise<Verified> =>
  world.ask(verifyLog, input);
const flawsOf = ({ findings }: Verified): [number, string][] =>
  findings.map(({ seq, flaw }) => [seq, flaw]);

/** While it lasts, a row of the archive is otherwise. */
async function withRow(set: string, where: string, work: () => Promise<void>): Promise<void> {
  const client = await world.pool.connect();
  const copy = 'create temporary table kept as select * from episodic_events';
  await client.query(`${copy} where ${where}`);
  try {
    await client.query(`update episodic_events set ${set} where ${where}`);
    await work();
  } finally {
    await client.query(`delete from episodic_events where ${where}`);
    await client.query('insert into episodic_events select * from kept');
    await client.query('drop table kept');
    client.release();
  }
}

/** While it lasts, a byte of the log is otherwise: `Step` reads `Stdp`. */
async function withByte(seq: number, work: () => Promise<void>): Promise<void> {
  const payload = world.log.messages[seq - 1]?.payload as Uint8Array;
  const place = Buffer.from(payload).indexOf('Step') + 2;
  payload.set([(payload[place] as number) ^ 1], place);
  try {
    await work();
  } finally {
    payload.set([(payload[place] as number) ^ 1], place);
  }
}

describe('log.verify', () => {
  it('finds a log sound that is', async () => {
    expect(await verify()).toEqual({
      from: 1,
      to: 50,
      commits: 50,
      events: 100,
      partitions: { 'task.0': 40, 'agent.0': 10 },
      sound: true,
      findings: [],
      nextFrom: null,
    });
  });

  it('looks at a range, at a partition, and at nothing beyond the end', async () => {
    expect(await verify({ from: 7, to: 11 })).toMatchObject({ commits: 5, sound: true, to: 11 });
    const ofAgents = { commits: 10, partitions: { 'agent.0': 10 }, sound: true };
    expect(await verify({ partition: 'agent.0' })).toMatchObject(ofAgents);
    expect(await verify({ from: 51 })).toMatchObject({ commits: 0, sound: true, nextFrom: null });
    const refusal = { code: 'INVALID_INPUT', field: 'to' };
    await expect(verify({ from: 3, to: 2 })).rejects.toMatchObject({ refusal });
  });

  it('goes on where the time of a call was over', async () => {
    const { log, pool, memory } = world;
    const archive = memory.projections[0] as ProjectionRunner;
    let now = 0;
    const clock = { now: () => (now += limits.LOG_VERIFY_MS_MAX / 2) };
    const handler = handleVerifyLog({ log, pool, archive, clock });
    const caller = { project: 'default', actor: 'key:spec', id: 'c' } as const;
    const { output: first } = await handler.handle({ from: 1 }, caller);
    expect(first).toMatchObject({ from: 1, to: 32, commits: 32, sound: true, nextFrom: 33 });
    const { output: second } = await handler.handle({ from: first.nextFrom ?? 0 }, caller);
    expect(second).toMatchObject({ from: 33, to: 50, commits: 18, sound: true, nextFrom: null });
  });

  it('finds a changed byte of the log, by the chain and by the archive', async () => {
    await withByte(20, async () => {
      const found = await verify();
      expect(found.sound).toBe(false);
      // 21 is a commit of agents; 22 is the next of the same partition.
      expect(flawsOf(found)).toEqual([
        [20, 'archive_text'],
        [22, 'chain'],
      ]);
      expect(flawsOf(await verify({ from: 22 }))).toEqual([[22, 'chain']]);
      expect(flawsOf(await verify({ from: 23 }))).toEqual([]);
    });
  });

  it.each([
    [`event = '{"type":"Forged"}'`, 'archive_text'],
    [`hash = '\\x00'`, 'archive_hash'],
    [`project = 'elsewhere'`, 'archive_fields'],
    ['at = now()', 'archive_fields'],
    ['seq = 2147483647', 'archive_missing'],
    ['idx = 7', 'archive_missing'],
  ])('finds a row of the archive with %s', async (set, flaw) => {
    const forged = (): Promise<void> =>
      verify({ from: 10, to: 20 }).then((found) => {
        expect(flawsOf(found)).toEqual([[13, flaw]]);
        expect(JSON.stringify(found)).not.toContain('in confidence');
      });
    await withRow(set, 'seq = 13 and idx = 1', forged);
    await world.pool.query('delete from episodic_events where seq = 2147483647 or idx = 7');
    expect((await verify()).sound).toBe(true);
  });

  it('finds what the archive has beyond the log', async () => {
    await world.pool.query(`
      insert into episodic_events select 60, 0, version, rev, epoch, at, hash, project, aggregate,
        aggregate_id, type, actor, command, correlation, partition, event
      from episodic_events where seq = 1 and idx = 0`);
    expect(flawsOf(await verify())).toEqual([[60, 'archive_extra']]);
    await world.pool.query('delete from episodic_events where seq = 60');
  });

  it('names the first findings, and counts on', async () => {
    await withRow(`hash = '\\x00'`, 'seq > 0', async () => {
      const found = await verify();
      expect(found).toMatchObject({ commits: 50, sound: false });
      expect(found.findings).toHaveLength(20);
    });
  });
});
