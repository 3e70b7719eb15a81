import { describe, expect, it } from '@jest/globals';
import { TestAthena } from './index.js';

describe('a schedule in virtual time', () => {
  it('hands a task to an agent at each of its times, over the change of the clock', async () => {
    const athena = await TestAthena.start({ now: new Date('2026-03-29T00:58:00Z') });
    try {
      const client = await athena.client();
      const workedAt: string[] = [];
      await athena.agent({ id: 'reporter', capabilities: ['report'] }, () => {
        workedAt.push(athena.now.toISOString().slice(0, 16));
        return {};
      });
      await client.schedules.create({
        scheduleId: 'nightly',
        cron: '59 1,2 * * *',
        timezone: 'Europe/Berlin',
        task: { content: {}, taskType: 'report', requirements: ['report'] },
      });
      await athena.advance('3m');
      expect(workedAt).toEqual(['2026-03-29T00:59', '2026-03-29T01:00']);
      const { runs, lastTaskId } = await client.schedules.get({ scheduleId: 'nightly' });
      expect(runs).toBe(2);
      const { status, schedule } = await client.tasks.get({ taskId: lastTaskId! });
      expect(status).toBe('completed');
      expect(schedule).toEqual({ scheduleId: 'nightly', plannedAt: '2026-03-29T01:00:00.000Z' });
    } finally {
      await athena.stop();
    }
  });
});
