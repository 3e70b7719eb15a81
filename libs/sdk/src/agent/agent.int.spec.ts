import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { limits } from '@athena/contracts';
import { z } from 'zod';
import { KEY } from '../scenarios/gate.scenario.js';
import { ScriptedPlatform } from '../scenarios/scripted-platform.scenario.js';
import { until } from '../scenarios/until.scenario.js';
import { type AthenaError, NonRetryable } from '../errors.js';
import { defineTask } from '../task/definition.js';
import { Agent } from './agent.js';
import type { TaskContext } from './handlers.js';
import type { AgentNotice } from './notices.js';
import type { AgentOptions } from './options.js';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const double = defineTask({
  name: 'double',
  input: z.object({ n: z.number() }),
  output: z.object({ doubled: z.number() }),
});

describe('an agent', () => {
  let platform: ScriptedPlatform;
  let agent: Agent | undefined;
  let notices: AgentNotice[] = [];
  let number = 0;

  beforeAll(async () => {
    platform = await ScriptedPlatform.start();
  });
  afterAll(() => platform.stop());
  afterEach(async () => {
    await agent?.stop();
    agent = undefined;
    platform.reset();
  });

  const newAgent = (options: Partial<AgentOptions> = {}): Agent => {
    number += 1;
    notices = [];
    agent = new Agent({
      natsUrl: platform.nats.url,
      project: 'default',
      agentId: `worker-${number}`,
      apiKey: KEY,
      capabilities: ['arithmetic'],
      log: silent,
      drainTimeoutMs: 200,
      onNotice: (notice) => notices.push(notice),
      ...options,
    });
    return agent;
  };
  const stateOf = (taskId: string) => platform.tasks.get(taskId)?.state;
  const finished = (taskId: string) =>
    until(`task ${taskId} is finished`, () =>
      ['completed', 'failed'].includes(stateOf(taskId) ?? ''),
    );
  const noticed = (type: AgentNotice['type']) =>
    until(`a notice ${type}`, () => notices.some((notice) => notice.type === type));

  it('registers with what it can do and offers all its slots', async () => {
    await newAgent({ kind: 'calculator', concurrency: 3, metadata: { version: '1' } })
      .handle(double, ({ n }) => ({ doubled: 2 * n }))
      .start();
    await until('a claim arrived', () => platform.inputs('claim').length > 0);

    expect(platform.inputs('register')).toEqual([
      {
        capabilities: ['arithmetic'],
        maxConcurrentTasks: 3,
        kind: 'calculator',
        metadata: { version: '1' },
      },
    ]);
    expect(platform.inputs('claim')[0]).toMatchObject({ capacity: 3 });
  });

  it('runs a typed task and reports its result with the time it took', async () => {
    await newAgent()
      .handle(double, ({ n }) => ({ doubled: 2 * n }))
      .start();

    const taskId = platform.offer('double', { n: 21 });
    await finished(taskId);

    const own = platform.seen.filter((one) => one.input['taskId'] === taskId);
    expect(own.map((one) => one.verb)).toEqual(['start', 'complete']);
    expect(platform.tasks.get(taskId)?.result).toEqual({ doubled: 42 });
    expect(own[1]?.input['metrics']).toEqual({ durationMs: expect.any(Number) });
  });

  it('never runs more at a time than its concurrency', async () => {
    let running = 0;
    let most = 0;
    const started = newAgent({ concurrency: 4 }).handle('count', async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
    });
    const taskIds = Array.from({ length: 40 }, () => platform.offer('count', null));
    await started.start();
    await Promise.all(taskIds.map(finished));

    expect(most).toBe(4);
  });

  it('gathers what is reported together into one message', async () => {
    const taskIds = Array.from({ length: 20 }, () => platform.offer('quick', null));
    await newAgent({ concurrency: 20 })
      .handle('*', () => 'done')
      .start();
    await Promise.all(taskIds.map(finished));

    expect(platform.inputs('complete')).toHaveLength(20);
    expect(platform.messages.get('complete')).toBeLessThan(5);
    expect(platform.messages.get('start')).toBe(1);
  });

  it('leaves the start to the completion when told to', async () => {
    await newAgent({ start: 'implied' })
      .handle('*', () => 'done')
      .start();

    const taskId = platform.offer('quick', null);
    await finished(taskId);

    expect(platform.inputs('start')).toEqual([]);
    expect(stateOf(taskId)).toBe('completed');
  });

  it('asks again with the same claimId when a claim is not answered', async () => {
    platform.trouble('claim', 2);
    await newAgent()
      .handle('*', () => 'done')
      .start();

    const taskId = platform.offer('quick', null);
    await finished(taskId);

    const claimIds = platform.inputs('claim').map((claim) => claim['claimId']);
    expect(claimIds.slice(0, 3)).toEqual([claimIds[0], claimIds[0], claimIds[0]]);
    expect(claimIds[3]).not.toBe(claimIds[0]);
  });

  it('repeats a completion until the platform has it', async () => {
    platform.trouble('complete', 3);
    await newAgent()
      .handle('*', () => 'done')
      .start();

    const taskId = platform.offer('quick', null);
    await finished(taskId);
    await noticed('completed');

    expect(platform.inputs('complete')).toHaveLength(4);
    expect(notices.filter((notice) => notice.type === 'completed')).toHaveLength(1);
  });

  describe('reports a failure', () => {
    const failing = async (handler: (input: unknown) => unknown, content: unknown = null) => {
      await newAgent().handle('fragile', handler).start();
      const taskId = platform.offer('fragile', content);
      await finished(taskId);
      return platform.tasks.get(taskId);
    };

    it('to be retried, when the handler throws', async () => {
      const task = await failing(() => {
        throw new Error('the disk is full');
      });
      expect(task).toMatchObject({ shouldRetry: true, error: { message: 'the disk is full' } });
    });

    it('for good, when the handler throws NonRetryable', async () => {
      const task = await failing(() => {
        throw new NonRetryable('no such document', { code: 'NO_DOCUMENT' });
      });
      expect(task).toMatchObject({
        shouldRetry: false,
        error: { message: 'no such document', code: 'NO_DOCUMENT' },
      });
    });

    it('for good, when the result is over the limit', async () => {
      const task = await failing(() => 'x'.repeat(limits.RESULT_BYTES_MAX));
      expect(task).toMatchObject({ shouldRetry: false, error: { code: 'RESULT_TOO_LARGE' } });
      expect(task?.error?.message).toContain(String(limits.RESULT_BYTES_MAX));
    });

    it('for good, when the result is no JSON', async () => {
      const task = await failing(() => 10n);
      expect(task).toMatchObject({ shouldRetry: false, error: { code: 'RESULT_NOT_JSON' } });
    });

    it('for good, when input or output do not fit the definition', async () => {
      await newAgent()
        .handle(double, ({ n }) => (n === 0 ? ({ doubled: 'none' } as never) : { doubled: n }))
        .start();
      const badInput = platform.offer('double', { n: 'many' });
      const badOutput = platform.offer('double', { n: 0 });
      await Promise.all([finished(badInput), finished(badOutput)]);

      expect(platform.tasks.get(badInput)).toMatchObject({
        shouldRetry: false,
        error: { code: 'INVALID_INPUT', message: expect.stringContaining('input.n') },
      });
      expect(platform.tasks.get(badOutput)).toMatchObject({
        shouldRetry: false,
        error: { code: 'INVALID_RESULT', message: expect.stringContaining('result.doubled') },
      });
    });

    it('to be retried elsewhere, when it has no handler for the type', async () => {
      await newAgent()
        .handle(double, ({ n }) => ({ doubled: n }))
        .start();
      const taskId = platform.offer('unheard-of', null);
      await finished(taskId);

      expect(platform.tasks.get(taskId)).toMatchObject({
        shouldRetry: true,
        error: { code: 'NO_HANDLER' },
      });
    });
  });

  describe('gives a handler up', () => {
    const running = async (options: Partial<AgentOptions> = {}) => {
      let context: TaskContext | undefined;
      await newAgent(options)
        .handle('long', (_content, given) => {
          context = given;
          return new Promise((_resolve, reject) => {
            given.signal.addEventListener('abort', () => reject(given.signal.reason as Error));
          });
        })
        .start();
      const taskId = platform.offer('long', null);
      await until('the handler runs', () => context !== undefined);
      return { taskId, signal: (context as unknown as TaskContext).signal };
    };
    const outcomes = () => [...platform.inputs('complete'), ...platform.inputs('fail')];

    it('when the task is cancelled', async () => {
      const { taskId, signal } = await running();
      await until('a slot is offered again', () => platform.inputs('claim').length > 1);

      platform.cancel(taskId);
      await noticed('dropped');

      expect((signal.reason as AthenaError).code).toBe('TASK_CANCELLED');
      expect(notices).toContainEqual({ type: 'dropped', taskId, reason: 'cancelled' });
      expect(outcomes()).toEqual([]);
    });

    it('when the task is cancelled though all its slots are taken, which it acknowledges', async () => {
      const { taskId, signal } = await running({ concurrency: 1 });

      platform.cancel(taskId);
      await until('aborted', () => signal.aborted);

      expect((signal.reason as AthenaError).code).toBe('TASK_CANCELLED');
      const heard = () => platform.inputs('heartbeat').flatMap((beat) => beat['heard'] ?? []);
      await until('acknowledged', () => heard().length > 0);
      expect(heard()).toContain(taskId);
      expect(outcomes()).toEqual([]);
    });

    it('when its lease is lost, which it learns though all its slots are taken', async () => {
      const { taskId, signal } = await running({ concurrency: 1 });

      platform.revoke(taskId);
      await noticed('dropped');

      expect((signal.reason as AthenaError).code).toBe('LEASE_LOST');
      expect(outcomes()).toEqual([]);
    });

    it('when it does not finish while the agent stops', async () => {
      const { taskId } = await running();

      await agent?.stop();

      expect(notices).toContainEqual({ type: 'dropped', taskId, reason: 'stopped' });
      expect(outcomes()).toEqual([]);
    });
  });

  it('registers again when the platform does not know it any more', async () => {
    await newAgent()
      .handle('*', () => 'done')
      .start();
    platform.known = false;
    await until('it registered again', () => platform.inputs('register').length > 1);

    const taskId = platform.offer('quick', null);
    await finished(taskId);

    expect(stateOf(taskId)).toBe('completed');
  });

  it('sends progress: the first at once, of quick ones the last', async () => {
    await newAgent()
      .handle('steps', async (_content, { progress, signal }) => {
        for (const percent of [10, 20, 30, 40]) progress(percent, `at ${percent}`);
        await until('reported', () => platform.inputs('progress').length === 2);
        signal.throwIfAborted();
      })
      .start();

    const taskId = platform.offer('steps', null);
    await finished(taskId);

    const reports = platform.inputs('progress').map(({ percent, message }) => [percent, message]);
    expect(reports).toEqual([
      [10, 'at 10'],
      [40, 'at 40'],
    ]);
  });

  it('lets running work finish when it stops, and takes no more', async () => {
    let finish: (() => void) | undefined;
    await newAgent({ drainTimeoutMs: 5_000 })
      .handle('slow', () => new Promise<void>((resolve) => (finish = resolve)))
      .start();
    const taskId = platform.offer('slow', null);
    await until('the handler runs', () => finish !== undefined);

    const stopping = agent?.stop({ deregister: true });
    await until('the drain arrived', () => platform.inputs('drain').length === 1);
    finish?.();
    await stopping;

    expect(stateOf(taskId)).toBe('completed');
    const late = platform.offer('slow', null);
    expect(stateOf(late)).toBe('offered');
    expect(platform.inputs('deregister')).toHaveLength(1);
    expect(notices.at(-1)).toEqual({ type: 'stopped' });
  });

  it('says at once that the key is wrong', async () => {
    const started = newAgent({ apiKey: 'wrong' })
      .handle('*', () => null)
      .start();
    await expect(started).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
