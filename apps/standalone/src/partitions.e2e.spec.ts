import { Agent, AthenaClient, defineTask } from '@athena/sdk';
import { LocalStack, until } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const PARTITIONS = 3;
const AGENTS = 3;
const CHAINS = 12;
const KEYS = 30;
const DONE_MS_MAX = 40_000;

const add = defineTask({
  name: 'add',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  requirements: ['arithmetic'],
});
const ignore = (): void => undefined;
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore };

let stack: LocalStack;
let client: AthenaClient;
let agents: Agent[] = [];

beforeAll(async () => {
  stack = await LocalStack.start();
  client = await AthenaClient.connect({ url: stack.url, apiKey: stack.apiKey });
  const { natsUrl, project, apiKey } = stack;
  agents = Array.from({ length: AGENTS }, (_, n) => {
    const about = { agentId: `adder-${n}`, capabilities: ['arithmetic'], log: quiet };
    const agent = new Agent({ natsUrl, project, apiKey, ...about });
    agent.handle(add, ({ n: number }) => Promise.resolve({ n: number + 1 }));
    return agent;
  });
  await Promise.all(agents.map((agent) => agent.start()));
}, 90_000);
afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.stop()));
  await client?.close();
  await stack?.stop();
});

interface Created {
  readonly taskId: string;
}

const partitionOf = ({ taskId }: { readonly taskId: string }): number =>
  Number.parseInt(taskId.slice(15, 18), 16);
const create = (fields: object = {}): Promise<Created> =>
  client.tasks.create({
    content: { n: 1 },
    taskType: 'add',
    requirements: ['arithmetic'],
    ...fields,
  });
const keyed = (): Promise<Created[]> =>
  Promise.all(Array.from({ length: KEYS }, (_, n) => create({ idempotencyKey: `key-${n}` })));

const request = (method: string, path: string, body?: object): Promise<Response> =>
  fetch(`${stack.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${stack.apiKey}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });

/** A chain of tasks, each depending on the one before, wherever that is. */
async function chain(length: number): Promise<Created> {
  let last = await create();
  for (let n = 1; n < length; n++) last = await create({ dependencies: [last.taskId] });
  return last;
}

describe('task partitions that are added while everything runs', () => {
  it('take new tasks, know used keys, and settle dependencies across each other', async () => {
    const before = await keyed();
    let growing = true;
    const meanwhile: Created[] = [];
    const busy = (async () => {
      while (growing) meanwhile.push(await create());
    })();
    const grown = await request('PUT', '/v1/partitions', { partitions: PARTITIONS });
    expect(grown.status).toBe(200);
    const inForce = async (): Promise<boolean> => {
      const map = (await (await request('GET', '/v1/partitions')).json()) as object;
      return 'partitions' in map && map.partitions === PARTITIONS;
    };
    await until(inForce, () => `the partitions are in force\n${stack.logs}`, DONE_MS_MAX);
    // The gateway asks for the map again now and then.
    await until(
      async () => partitionOf(await create()) === PARTITIONS - 1,
      'new tasks go to the last partition',
      DONE_MS_MAX,
    );
    growing = false;
    await busy;

    const again = await keyed();
    expect(again.map(({ taskId }) => taskId)).toEqual(before.map(({ taskId }) => taskId));

    const { taskIds } = await batch(60);
    expect(new Set(taskIds.map((taskId) => partitionOf({ taskId }))).size).toBe(PARTITIONS);

    const gather = await acrossAll();
    const ends = await Promise.all(Array.from({ length: CHAINS }, () => chain(4)));
    const all = [...meanwhile, ...ends, gather, ...before];
    await Promise.all(all.map(({ taskId }) => untilCompleted(taskId)));
  }, 90_000);

  it('block what depends on a failure in another one, and are never fewer', async () => {
    const held = await spread({ autoRoute: false });
    const dependent = await create({ dependencies: held.map(({ taskId }) => taskId) });
    expect((await client.tasks.get({ taskId: dependent.taskId })).reason).toBe('dependencies');
    await client.tasks.cancel({ taskId: held[1]!.taskId });
    await until(
      async () => (await client.tasks.get({ taskId: dependent.taskId })).status === 'blocked',
      'blocked by a task of another partition',
      DONE_MS_MAX,
    );
    expect((await client.tasks.get({ taskId: dependent.taskId })).reason).toBe(held[1]!.taskId);
    const fewer = await request('PUT', '/v1/partitions', { partitions: 1 });
    expect([fewer.status, ((await fewer.json()) as { code: string }).code]).toEqual([
      409,
      'PARTITIONS_ONLY_GROW',
    ]);
    const nowhere = dependent.taskId.replace(/^(.{15}).../, '$1fff');
    expect((await request('GET', `/v1/tasks/${nowhere}`)).status).toBe(404);
  }, 60_000);
});

/** A task in each partition. */
async function spread(fields: object): Promise<Created[]> {
  const found = new Map<number, Created>();
  while (found.size < PARTITIONS) {
    const task = await create(fields);
    found.set(partitionOf(task), task);
  }
  return [...found.values()];
}

async function acrossAll(): Promise<Created> {
  const some = await spread({});
  return create({ dependencies: some.map(({ taskId }) => taskId) });
}

async function batch(size: number): Promise<{ taskIds: string[] }> {
  const tasks = Array.from({ length: size }, (_, n) => ({
    content: { n },
    taskType: 'add',
    requirements: ['arithmetic'],
    ...(n % 2 === 0 ? { ref: `t${n}` } : { dependencies: [{ ref: `t${n - 1}` }] }),
  }));
  const answer = await request('POST', '/v1/tasks/batch', { tasks });
  return (await answer.json()) as { taskIds: string[] };
}

const untilCompleted = (taskId: string): Promise<void> =>
  until(
    async () => (await client.tasks.get({ taskId, wait: 5_000 })).status === 'completed',
    () => `${taskId} is completed`,
    DONE_MS_MAX,
  );
