import { eventTimeline } from '@athena/contracts';
import type { Output, RawInput } from '@athena/operation';
import type { ProjectionRunner } from '@athena/projection';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ArchiveGrowth } from './operations/archive-growth.js';
import { handleTimeline } from './operations/timeline.js';
import { MemoryWorld, event } from './memory-world.scenario.js';

const TASK = '01890000-0000-8000-8000-000000000001';
const AT = Date.parse('2026-03-01T12:00:00.000Z');
const MINUTE_MS = 60_000;

let world: MemoryWorld;
beforeAll(async () => {
  world = await MemoryWorld.start();
});
afterAll(async () => {
  await world?.stop();
});

type Page = Output<typeof eventTimeline>;
const timeline = (search: RawInput<typeof eventTimeline>, project?: string): Promise<Page> =>
  world.ask(eventTimeline, search, project);
const typesOf = ({ events }: Page): string[] => events.map(({ type }) => type);

/** Asks page by page until nothing more is there. */
async function whole(search: RawInput<typeof eventTimeline>, project?: string): Promise<Page[]> {
  const pages: Page[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const page = await timeline({ ...search, ...(after ? { after } : {}) }, project);
    if (page.events.length === 0) break;
    pages.push(page);
    after = page.nextAfter;
  }
  return pages;
}

describe('event.timeline', () => {
  beforeAll(async () => {
    const by = { project: 'past', actor: 'key:k1', correlation: 'r-1', data: { n: 1 } };
    const past = { project: 'past' };
    await world.commit('task.0', [event(TASK, 'TaskCreated', by), event('o', 'Other')], AT);
    await world.commit('agent.0', [event('ada', 'AgentRegistered', past)], AT + MINUTE_MS);
    const secret = { ...past, data: { secretHash: 'x' } };
    await world.commit('access.0', [event('key', 'KeyIssued', secret)], AT + MINUTE_MS);
    const done = [event(TASK, 'TaskStarted', past), event(TASK, 'TaskCompleted', past)];
    await world.commit('task.0', done, AT + 2 * MINUTE_MS);
    await world.caughtUp();
  });

  it('tells the project’s events in order, whole, and none of keys', async () => {
    const page = await timeline({}, 'past');
    expect(page.events[0]).toEqual({
      position: '1.0',
      type: 'TaskCreated',
      version: 1,
      at: new Date(AT).toISOString(),
      aggregate: 'task',
      aggregateId: TASK,
      actor: 'key:k1',
      correlation: 'r-1',
      data: { n: 1 },
    });
    const types = ['TaskCreated', 'AgentRegistered', 'TaskStarted', 'TaskCompleted'];
    expect(typesOf(page)).toEqual(types);
    expect(typesOf(await timeline({ order: 'desc' }, 'past'))).toEqual(types.reverse());
    expect((await timeline({}, 'nobody')).events).toEqual([]);
  });

  it.each<[RawInput<typeof eventTimeline>, string[]]>([
    [{ type: 'TaskStarted' }, ['TaskStarted']],
    [{ aggregate: 'agent' }, ['AgentRegistered']],
    [{ aggregate: 'task', aggregateId: TASK, limit: 1 }, ['TaskCreated']],
    [{ aggregateId: 'ada' }, ['AgentRegistered']],
    [{ actor: 'key:k1' }, ['TaskCreated']],
    [{ correlation: 'r-1' }, ['TaskCreated']],
    [{ since: '2026-03-01T12:01:00Z', until: '2026-03-01T12:02:00Z' }, ['AgentRegistered']],
    [{ since: '0000-01-01T00:00:00Z', type: 'Nothing' }, []],
  ])('finds by %j', async (search, types) => {
    expect(typesOf(await timeline(search, 'past'))).toEqual(types);
  });

  it.each(['asc', 'desc'] as const)('goes on behind each page, %s', async (order) => {
    const pages = await whole({ order, limit: 1 }, 'past');
    const [all] = await whole({ order }, 'past');
    expect(pages.flatMap(typesOf)).toEqual(typesOf(all as Page));
    expect(pages.map(({ events }) => events.length)).toEqual([1, 1, 1, 1]);
  });

  it('goes on behind what an empty page has looked at', async () => {
    const { nextAfter } = await timeline({ type: 'Nothing' }, 'past');
    expect(nextAfter).toBe(String(await world.log.endSeq()));
  });

  it('ends a page before it holds too many bytes, and loses nothing by that', async () => {
    const big = { project: 'big', data: 'x'.repeat(200_000) };
    for (let n = 0; n < 7; n++) await world.commit('task.0', [event(`b${n}`, `Big${n}`, big)]);
    await world.caughtUp();
    const pages = await whole({}, 'big');
    expect(pages.map(({ events }) => events.length)).toEqual([3, 3, 1]);
    expect(pages.flatMap(typesOf)).toEqual(Array.from({ length: 7 }, (_, n) => `Big${n}`));
  });

  it.each(['x', '1.', '-1', '1.0; drop', '01', '1.9999999', '1e3', '999999999'])(
    'refuses %s as a position',
    async (after) => {
      const refusal = { code: 'INVALID_INPUT', field: 'after' };
      await expect(timeline({ after })).rejects.toMatchObject({ refusal });
    },
  );

  it('takes text of strangers as a value only', async () => {
    const correlation = "'or'1'='1";
    expect((await timeline({ correlation }, 'past')).events).toEqual([]);
  });
});

describe('following the log', () => {
  it('answers as soon as something happens', async () => {
    const { nextAfter } = await timeline({ order: 'desc', limit: 1 });
    const after = nextAfter ?? '0';
    const began = Date.now();
    const waiting = timeline({ after, wait: '5s', type: 'Awaited' });
    await world.commit('task.0', [event('a', 'Unasked')]);
    await world.commit('task.0', [event('a', 'Awaited', { project: 'other' })]);
    await world.commit('task.0', [event('a', 'Awaited')]);
    expect(typesOf(await waiting)).toEqual(['Awaited']);
    expect(Date.now() - began).toBeLessThan(3_000);
  });

  it('answers without an event when the wait is over', async () => {
    const after = String(await world.log.endSeq());
    const page = await timeline({ after, wait: '100ms' });
    expect(page).toEqual({ events: [], nextAfter: after });
  });

  it('misses and repeats nothing while the log is written, whoever else follows', async () => {
    const start = String(await world.log.endSeq());
    const written: string[] = [];
    const write = async (): Promise<void> => {
      for (let n = 0; n < 60; n++) {
        const types = [`Step${n}a`, `Step${n}b`, `Step${n}c`];
        written.push(...types);
        await world.commit(
          n % 2 ? 'task.0' : 'agent.0',
          types.map((type) => event('s', type)),
        );
        if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 15));
      }
    };
    const follow = async (limit: number): Promise<string[]> => {
      const seen: string[] = [];
      for (let after = start; seen.at(-1) !== 'Step59c';) {
        const page = await timeline({ after, wait: '2s', limit });
        seen.push(...typesOf(page));
        after = page.nextAfter as string;
      }
      return seen;
    };
    const [, ...seen] = await Promise.all([write(), follow(2), follow(7), follow(1_000)]);
    for (const one of seen) expect(one).toEqual(written);
  });

  it('does not hold up a process that ends', async () => {
    const { log, pool, memory } = world;
    const archive = memory.projections[0] as ProjectionRunner;
    const growth = new ArchiveGrowth(archive);
    const handler = handleTimeline({ log, pool, archive, growth });
    const caller = { project: 'nobody', actor: 'key:spec', id: 'c' } as const;
    const waiting = handler.handle({ order: 'asc', wait: 20_000, limit: 1 }, caller);
    const began = Date.now();
    setTimeout(() => growth.close(), 50);
    expect((await waiting).output.events).toEqual([]);
    expect(Date.now() - began).toBeLessThan(2_000);
  });

  it('waits for what is to come only', async () => {
    const refused = timeline({ order: 'desc', wait: '1s' });
    await expect(refused).rejects.toMatchObject({ refusal: { code: 'INVALID_INPUT' } });
  });
});
