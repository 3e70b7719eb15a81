import { getInsights } from '@athena/contracts';
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
import { ConsolidationModule, consolidationEntities, consolidationMigrations } from './index.js';

import * as given from './happenings.scenario.js';

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
  const parts = { entities: consolidationEntities, migrations: consolidationMigrations };
  const services = [{ module: ConsolidationModule, ...parts }];
  service = await startService({ name: 'consolidation', services, config });
});
afterAll(async () => {
  await service?.stop();
  await Promise.all([nats?.stop(), postgres?.stop()]);
});

describe('the consolidation as a process', () => {
  it('follows what is in JetStream and tells it in figures', async () => {
    const taskId = newAggregateId(Date.now(), 0, Buffer.from('12345678'));
    const header = { athena: 1, partition: 'task.0', epoch: 1, rev: 1, prev: FIRST_PREV } as const;
    const events = [given.created(taskId), given.assigned(taskId), given.completed(taskId, 40)];
    const payload = encodeCommit(
      { ...header, at: new Date().toISOString(), count: events.length },
      events.map((event) => JSON.stringify(event)),
    );
    const { log, calls } = service.get(Platform);
    const minSeq = await log.append(subjectOf('task.0'), payload, 0);

    const caller = { project: given.PROJECT, actor: 'key:k' } as const;
    const input = getInsights.input.parse({ minSeq });
    const { output, seq } = await calls.call(getInsights, input, caller);

    expect(output.total).toMatchObject({ attempts: 1, completed: 1, runMs: { p50: 40 } });
    expect(seq).toBeGreaterThanOrEqual(minSeq);
    const ready = await fetch(`${service.managementUrl}/healthz/ready`);
    const health = (await ready.json()) as { details: Record<string, { state?: string }> };
    expect(ready.status).toBe(200);
    expect(health.details['projection attempt_outcomes']?.state).toBe('writing');
    expect(health.details['projection fleet_activity']?.state).toBe('writing');
  });
});
