import { listTaskEvents } from '@athena/contracts';
import { FIRST_PREV, encodeCommit, subjectOf } from '@athena/event-log';
import { newAggregateId } from '@athena/operation';
import { Platform, readConfig, startService, type RunningService } from '@athena/service-kit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  startNats,
  startPostgres,
  type RunningNats,
  type RunningPostgres,
} from '../../../tools/stack/servers.mjs';
import { EpisodicMemoryModule, episodicMemoryEntities, episodicMemoryMigrations } from './index.js';

let nats: RunningNats;
let postgres: RunningPostgres;
let service: RunningService;

beforeAll(async () => {
  [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
  const config = readConfig({
    ...nats.env,
    ...postgres.env,
    ATHENA_MANAGEMENT_PORT: '0',
    ATHENA_LOG_LEVEL: 'silent',
    ATHENA_LOG_MAX_BYTES: String(64 * 1024 ** 2),
  });
  const parts = { entities: episodicMemoryEntities, migrations: episodicMemoryMigrations };
  const services = [{ module: EpisodicMemoryModule, ...parts }];
  service = await startService({ name: 'episodic-memory', services, config });
});
afterAll(async () => {
  await service?.stop();
  await Promise.all([nats?.stop(), postgres?.stop()]);
});

describe('the episodic memory as a process', () => {
  it('archives what is in JetStream and tells it', async () => {
    const taskId = newAggregateId(Date.now(), 0, Buffer.from('12345678'));
    const header = { athena: 1, partition: 'task.0', epoch: 1, rev: 1, prev: FIRST_PREV } as const;
    const event = { type: 'TaskCreated', v: 1, project: 'p', id: taskId, data: { content: 'x' } };
    const payload = encodeCommit({ ...header, at: '2026-03-01T12:00:00.000Z', count: 1 }, [
      JSON.stringify(event),
    ]);
    const { log, calls } = service.get(Platform);
    const minSeq = await log.append(subjectOf('task.0'), payload, 0);

    const caller = { project: 'p', actor: 'key:k' };
    const { output, seq } = await calls.call(listTaskEvents, { taskId, minSeq }, caller);

    expect(output.events).toEqual([expect.objectContaining({ data: { content: 'x' } })]);
    expect(seq).toBeGreaterThanOrEqual(minSeq);
    const ready = await fetch(`${service.managementUrl}/healthz/ready`);
    const health = (await ready.json()) as { details: Record<string, { state?: string }> };
    expect(ready.status).toBe(200);
    expect(health.details['projection episodic_events']?.state).toBe('writing');
  });
});
