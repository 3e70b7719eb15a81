import { openRouter } from '@athena/contracts';
import { until } from '@athena/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { World, heldOf } from './world.scenario.js';

let world: World;
beforeEach(async () => {
  world = await World.begin();
});
afterEach(async () => {
  await world.end();
});

const idsOf = (tasks: readonly { taskId: string }[]): string[] => tasks.map(({ taskId }) => taskId);

describe('a router that takes over', () => {
  it('releases on opening what rests on sessions that ended while nobody was active', async () => {
    const first = await world.active('first');
    const session = await world.agent('a');
    const taskId = await world.task();
    await world.claim('a');
    await first.close();
    await world.endSession('a', session);
    await world.agent('b');

    await world.active('second');

    expect(idsOf((await world.claim('b')).tasks)).toEqual([taskId]);
  });

  it('is superseded by the next one, which serves the claims that were parked', async () => {
    const { router: old, lease: oldLease } = await world.router('old');
    const { router: next, lease } = await world.router('next');
    oldLease.hand(true);
    await until(() => old.activity === 'active');
    await world.agent('a');
    const claim = world.claim('a');
    await until(() => old.routing.desk.book.size === 1);

    oldLease.hand(false);
    lease.hand(true);
    await until(() => next.activity === 'active' && old.activity === 'standby', 'the take-over');
    const taskId = await world.task();

    expect(idsOf((await claim).tasks)).toEqual([taskId]);
    expect(() => old.routing).toThrow('NOT_OWNER');
    await until(() => heldOf(next.routing, 'a') === 1);
  });

  it('stands down where another one opened while it was opening itself', async () => {
    const { router: slow, lease: slowLease } = await world.router('slow');
    const { router: quick, lease } = await world.router('quick');
    world.failNext(openRouter, 'late-answer');
    slowLease.hand(true);
    await until(() => slow.activity === 'opening');
    slowLease.hand(false);
    lease.hand(true);
    await until(() => quick.activity === 'active' && slow.activity === 'standby');

    expect(quick.routing.open).toBe(true);
    expect(() => slow.routing).toThrow('NOT_OWNER');
  });

  it('as a standby forgets the claims that the active one has answered', async () => {
    await world.active('active');
    const { router: standby } = await world.router('standby');
    await world.agent('a');
    const claim = world.claim('a', { waitMs: 20_000 });
    await world.task();
    await claim;

    const routing = await standby.loaded;
    await until(() => routing?.desk.book.size === 0, 'the shadow to be dropped');
  });

  it('gives a claim its tasks again whose answer died with the one before', async () => {
    const lost = await world.active('lost');
    const { router: next, lease } = await world.router('next');
    await world.agent('a');
    world.silence(lost);
    const claim = world.claim('a', { claimId: 'mine' });
    const taskId = await world.task();
    const { state, desk } = (await next.loaded)!;
    await until(() => state.tasks.get(taskId)?.status === 'assigned', 'the assignment');
    expect(desk.book.size).toBe(0);
    lease.hand(true);

    expect(idsOf((await claim).tasks)).toEqual([taskId]);
  });

  it('gives nothing to a claim that arrives after the fold of its tasks', async () => {
    const active = await world.active('active');
    const { router: standby, lease } = await world.router('standby');
    const { desk, state } = (await standby.loaded)!;
    await world.agent('a', { maxConcurrentTasks: 4 });
    const first = await world.task();
    const request = { claimId: 'mine', capacity: 1, waitMs: 2_000 };
    const answer = await active.routing.claim(request, { project: 'p', agentId: 'a' });
    await world.complete(answer!.tasks[0]!, 'a');
    await until(() => state.tasks.get(first) === undefined, 'the fold of the completion');

    void standby.loaded.then((routing) => routing!.claim(request, { project: 'p', agentId: 'a' }));
    await until(() => desk.size > 0);
    expect(desk.book.size).toBe(0);
    lease.hand(true);
    await until(() => standby.activity === 'active');
    const second = await world.task();

    expect(idsOf((await world.claim('a')).tasks)).toEqual([second]);
  });
});

describe('a router that starts again', () => {
  it('begins at the state that was stored, and knows what waits and who is there', async () => {
    const first = await world.active('first');
    await world.agent('a', { capabilities: ['sum'] });
    const taskId = await world.task({ requirements: ['sum'] });
    await first.routing.fold.caughtUp();
    await first.close();

    await world.active('second');

    expect(world.followedFrom[0]).toBe(1);
    expect(world.followedFrom[1]).toBeGreaterThan(5);
    expect(idsOf((await world.claim('a')).tasks)).toEqual([taskId]);
  });

  it('folds the whole log where the stored state is of a history that was lost', async () => {
    const first = await world.active('first');
    await first.routing.fold.caughtUp();
    await first.close();
    const [name, at] = ['router.0', world.log.messages.length];
    const stored = await world.store.load(name);
    const checkpoint = { ...stored!.checkpoint, epoch: 9, seq: at, hash: 'of another commit' };
    await world.store.save(name, { checkpoint, whole: false, upserts: [], deletes: [] });

    await world.active('second');

    expect(world.followedFrom).toEqual([1, 1]);
  });
});
