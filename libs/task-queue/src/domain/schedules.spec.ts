import { limits, type ScheduleRecord, type TaskRecord } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Queue } from './queue.scenario.js';

const SECOND = 1_000;
const HOUR = 3_600_000;

type Told = ScheduleRecord & { readonly nextRuns: readonly string[] };
const told = (queue: Queue, scheduleId = 'tick'): Told =>
  queue.when('schedule.get', { scheduleId }).answer as Told;
const seconds = (...of: number[]): number[] => of.map((n) => n * SECOND);
/** Nobody owns the partition for so long; then somebody does what is due. */
function down(queue: Queue, ms: number): readonly string[] {
  queue.now += ms;
  return queue.advance(0);
}

describe('a schedule', () => {
  it('creates one task for each planned instant, in the commit that says so', () => {
    const queue = new Queue();
    queue.schedule({ task: { content: 1, taskType: 'demo', requirements: ['x'] } });
    const types = queue.advance(2 * SECOND);
    expect(types).toEqual(['TaskCreated', 'ScheduleFired', 'TaskCreated', 'ScheduleFired']);
    const [created, fired] = queue.log.slice(-2);
    expect(fired!.rev).toBe(created!.rev);
    expect(queue.runs()).toEqual(seconds(1, 2));
    const record = queue.when('task.get', { taskId: created!.event.id }).answer as TaskRecord;
    expect(record).toMatchObject({ content: 1, requirements: ['x'], status: 'pending' });
    const plannedAt = new Date(queue.began + 2 * SECOND).toISOString();
    expect(record.schedule).toEqual({ scheduleId: 'tick', plannedAt });
    const { lastTaskId, lastRunAt, runs } = told(queue);
    expect([lastTaskId, lastRunAt, runs]).toEqual([created!.event.id, plannedAt, 2]);
  });

  it('tells its coming runs, from its start to its end', () => {
    const queue = new Queue();
    const startAt = new Date(queue.now + HOUR).toISOString();
    const endAt = new Date(queue.now + HOUR + 2 * SECOND).toISOString();
    queue.schedule({ startAt, endAt });
    const { nextRunAt, nextRuns } = told(queue);
    expect([nextRunAt, nextRuns.length]).toEqual([startAt, 3]);
    queue.advance(2 * HOUR);
    expect(queue.runs()).toEqual([HOUR, HOUR + SECOND, HOUR + 2 * SECOND]);
    expect(told(queue)).toMatchObject({ nextRunAt: null, nextRuns: [] });
  });

  it('twice is once; another definition replaces it, and a pause outlives that', () => {
    const queue = new Queue();
    expect(queue.schedule().answer).toMatchObject({ created: true });
    queue.advance(1_500);
    const again = queue.schedule();
    expect([again.types, again.answer]).toMatchObject([[], { created: false }]);
    queue.when('schedule.pause', { scheduleId: 'tick' });
    expect(queue.schedule({ every: '10s' }).types).toEqual(['ScheduleDefined']);
    expect(told(queue)).toMatchObject({ paused: true, nextRunAt: null, runs: 1, every: '10s' });
    expect(queue.schedule({ every: '10s', paused: false }).types).toEqual(['ScheduleResumed']);
    queue.advance(10 * SECOND);
    expect(queue.runs()).toEqual(seconds(1, 11.5));
  });

  it('rests while paused: what came due meanwhile is not made up for', () => {
    const queue = new Queue();
    queue.schedule({ missedRuns: 'all' });
    expect(queue.when('schedule.pause', { scheduleId: 'tick' }).types).toEqual(['SchedulePaused']);
    expect(queue.advance(10 * SECOND)).toEqual([]);
    queue.when('schedule.resume', { scheduleId: 'tick' });
    queue.advance(SECOND);
    expect(queue.runs()).toEqual(seconds(11));
  });

  it('runs when asked to, paused or not, once per request', () => {
    const queue = new Queue();
    queue.schedule({ paused: true });
    const id = queue.newId();
    const trigger = () => queue.when('schedule.trigger', { scheduleId: 'tick' }, { id });
    expect(trigger().types).toEqual(['TaskCreated', 'ScheduleTriggered']);
    const again = trigger();
    expect([again.types, again.answer]).toEqual([[], { scheduleId: 'tick', taskId: id }]);
    expect(queue.record(id).schedule).toEqual({ scheduleId: 'tick', plannedAt: null });
  });

  it('is gone when deleted, and its tasks remain', () => {
    const queue = new Queue();
    queue.schedule();
    queue.advance(SECOND);
    const { lastTaskId } = told(queue);
    const deleted = queue.when('schedule.delete', { scheduleId: 'tick' });
    expect(deleted.answer).toEqual({ scheduleId: 'tick', deleted: true });
    const again = queue.when('schedule.delete', { scheduleId: 'tick' });
    expect([again.types, again.answer]).toEqual([[], { scheduleId: 'tick', deleted: false }]);
    expect(queue.advance(HOUR)).toEqual([]);
    expect(queue.record(lastTaskId!).status).toBe('pending');
    const get = queue.when('schedule.get', { scheduleId: 'tick' });
    expect(get.refusal?.code).toBe('SCHEDULE_NOT_FOUND');
  });

  it('of another project is another one', () => {
    const queue = new Queue();
    queue.schedule();
    const elsewhere = { project: 'other' };
    const get = queue.when('schedule.get', { scheduleId: 'tick' }, elsewhere);
    expect(get.refusal?.code).toBe('SCHEDULE_NOT_FOUND');
    const list = queue.when('schedule.list', { limit: 10 }, elsewhere);
    expect(list.answer).toEqual({ schedules: [], nextCursor: null });
  });

  it('that may not overlap waits until the task of its last run is finished', () => {
    const queue = new Queue();
    queue.schedule({ overlap: 'skip' });
    queue.advance(SECOND);
    const { lastTaskId } = told(queue);
    expect(queue.advance(2 * SECOND)).toEqual(['ScheduleSkipped', 'ScheduleSkipped']);
    queue.when('task.cancel', { taskId: lastTaskId });
    queue.advance(SECOND);
    expect(queue.runs()).toEqual(seconds(1, 4));
  });
});

describe('runs that nobody was there to start', () => {
  const missed = (missedRuns: string, ms: number, every = '1m'): Queue => {
    const queue = new Queue();
    queue.schedule({ missedRuns, every });
    down(queue, ms);
    return queue;
  };
  const MINUTE = 60_000;

  it('are left out, made up for by the last, or each', () => {
    const ms = 5 * MINUTE + 10 * SECOND;
    expect(missed('skip', ms).runs()).toEqual([]);
    expect(missed('one', ms).runs()).toEqual([5 * MINUTE]);
    const all = missed('all', ms);
    expect(all.runs()).toEqual([1, 2, 3, 4, 5].map((n) => n * MINUTE));
    expect(all.state.tasks.size).toBe(5);
  });

  it('are planned on as if nothing had been', () => {
    const queue = missed('skip', 5 * MINUTE + 10 * SECOND);
    queue.advance(MINUTE);
    expect(queue.runs()).toEqual([6 * MINUTE]);
  });

  it('are none where the owner is late by no more than the grace', () => {
    const late = MINUTE + limits.SCHEDULE_GRACE_MS;
    expect(missed('skip', late).runs()).toEqual([MINUTE]);
    expect(missed('skip', late + 1).runs()).toEqual([]);
  });

  it('are at most so many, the last ones', () => {
    const most = limits.SCHEDULE_MISSED_RUNS_MAX;
    const ms = (n: number): number => n * MINUTE + 10 * SECOND;
    expect(missed('all', ms(most)).runs()).toHaveLength(most);
    const runs = missed('all', ms(most + 1)).runs();
    expect([runs.length, runs[0]]).toEqual([most, 2 * MINUTE]);
    expect(missed('one', ms(60 * 24 * 366)).runs()).toHaveLength(1);
  });

  it('say in the log from which one on they were missed', () => {
    const { log, began } = missed('one', 5 * MINUTE + 10 * SECOND);
    expect(log.at(-1)!.event.data).toMatchObject({
      plannedAt: new Date(began + 5 * MINUTE).toISOString(),
      missedFrom: new Date(began + MINUTE).toISOString(),
      nextAt: new Date(began + 6 * MINUTE).toISOString(),
    });
  });

  it('over any down times are those that the policy says, each once and in order', () => {
    const policies = fc.constantFrom('skip' as const, 'one' as const, 'all' as const);
    const times = fc.array(fc.record({ down: fc.boolean(), ms: fc.nat(40_000) }), { maxLength: 8 });
    fc.assert(
      fc.property(policies, fc.constantFrom(1, 3, 10), times, (missedRuns, every, steps) => {
        const queue = new Queue();
        queue.schedule({ missedRuns, every: `${every}s` });
        const expected: number[] = [];
        let seen = 0;
        for (const { down: isDown, ms } of steps) {
          if (isDown) down(queue, ms);
          else queue.advance(ms);
          const now = queue.now - queue.began;
          const due: number[] = [];
          for (let at = seen + every * SECOND; at <= now; at += every * SECOND) due.push(at);
          seen = due.at(-1) ?? seen;
          const late = isDown ? due.filter((at) => at < now - limits.SCHEDULE_GRACE_MS) : [];
          const madeUpFor = { skip: [], one: late.slice(-1), all: late }[missedRuns];
          expected.push(...madeUpFor, ...due.slice(late.length));
        }
        expect(queue.runs()).toEqual(expected);
      }),
    );
  });
});

describe('the schedules of a project', () => {
  it('are so many and no more', () => {
    const queue = new Queue();
    const most = limits.SCHEDULES_PER_PROJECT_MAX;
    for (let n = 0; n < most; n++) queue.schedule({ scheduleId: `s${n}`, every: '1d' });
    expect(queue.schedule().refusal?.code).toBe('TOO_MANY_SCHEDULES');
    expect(queue.schedule({ scheduleId: 's0', every: '2d' }).refusal).toBeUndefined();
    queue.when('schedule.delete', { scheduleId: 's1' });
    expect(queue.schedule().refusal).toBeUndefined();
  });

  it('are listed by id, in pages of so many and of so many bytes', () => {
    const queue = new Queue();
    const content = 'x'.repeat(30_000);
    const ids = Array.from({ length: 40 }, (_, n) => `s${String(n).padStart(2, '0')}`);
    for (const scheduleId of [...ids].reverse()) {
      queue.schedule({ scheduleId, task: { content, taskType: 'demo' } });
    }
    const listed: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const input = cursor === null ? { limit: 25 } : { limit: 25, cursor };
      const { answer } = queue.when('schedule.list', input);
      const page = answer as { schedules: ScheduleRecord[]; nextCursor: string | null };
      expect(JSON.stringify(page).length).toBeLessThan(limits.SCHEDULE_PAGE_BYTES + 32_000);
      listed.push(...page.schedules.map(({ scheduleId }) => scheduleId));
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== null);
    expect([listed, pages]).toEqual([ids, 3]);
  });

  it('are refused where they can’t be, with the field that is wrong', () => {
    const queue = new Queue();
    const refusal = (fields: object): unknown => queue.schedule({ ...fields }).refusal;
    expect(refusal({ cron: '61 * * * *' })).toMatchObject({ code: 'INVALID_INPUT', field: 'cron' });
    expect(refusal({ timezone: 'Mars/Base' })).toMatchObject({ field: 'timezone' });
    const endAt = new Date(queue.now).toISOString();
    expect(refusal({ endAt })).toMatchObject({ field: 'endAt' });
    for (const [every, field] of [
      ['0s', 'every'],
      ['367d', 'every'],
      ['1', 'every'],
    ]) {
      expect(() => queue.schedule({ every })).toThrow(field);
    }
    expect(() => queue.schedule({ every: '1s', cron: '* * * * *' })).toThrow('cron');
    expect(() => queue.schedule({ startAt: endAt, endAt })).toThrow('endAt');
    expect(() => queue.schedule({ scheduleId: queue.newId() })).toThrow('scheduleId');
  });

  it('are tried out without being created', () => {
    const queue = new Queue();
    const input = { cron: '0 12 * * *', timezone: 'Europe/Berlin', count: 2 };
    const preview = queue.when('schedule.preview', input);
    expect([preview.types, preview.answer]).toEqual([
      [],
      { runs: ['2026-01-01T11:00:00.000Z', '2026-01-02T11:00:00.000Z'] },
    ]);
    expect(queue.when('schedule.preview', { ...input, cron: '* *' }).refusal?.field).toBe('cron');
  });
});
