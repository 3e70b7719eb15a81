import { limits } from '@athena/contracts';
import { AthenaClient } from '@athena/sdk';
import { LocalStack, until } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const SIZE = limits.BATCH_TASKS_MAX;
const PATIENCE_MS = 240_000;

let stack: LocalStack;
let client: AthenaClient;

beforeAll(async () => {
  stack = await LocalStack.start();
  client = await AthenaClient.connect({ url: stack.url, apiKey: stack.apiKey });
}, 60_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
});

type Item = { readonly ref: string; readonly after?: readonly string[] };

/** One REST call; the ids by ref. */
async function create(items: readonly Item[], more: object = {}): Promise<Map<string, string>> {
  const tasks = items.map(({ ref, after = [] }) => ({
    ...{ ref, content: null, taskType: 'step', ...more },
    dependencies: after.map((one) => ({ ref: one })),
  }));
  const answer = await stack.request('POST', '/v1/tasks/batch', { tasks });
  expect(answer.status).toBe(201);
  const { taskIds } = (await answer.json()) as { taskIds: string[] };
  return new Map(items.map(({ ref }, index) => [ref, taskIds[index] as string]));
}

const named = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${name}${n}`);

const statusOf = async (taskId = ''): Promise<string> =>
  (await client.tasks.get({ taskId })).status;

describe(`a graph of ${SIZE} tasks in one call`, () => {
  it(
    'one behind the other is blocked from end to end, and freed again',
    async () => {
      const chain = named('t', SIZE).map((ref, n) => ({ ref, after: n > 0 ? [`t${n - 1}`] : [] }));
      const ids = await create(chain, { autoRoute: false });
      const [first, last] = [ids.get('t0') as string, ids.get(`t${SIZE - 1}`) as string];
      await client.tasks.cancel({ taskId: first });
      await until(async () => (await statusOf(last)) === 'blocked', 'blocked', PATIENCE_MS);
      await client.tasks.redrive({ taskId: first });
      await until(async () => (await statusOf(last)) === 'pending', 'freed', PATIENCE_MS);
      expect((await client.tasks.get({ taskId: last })).reason).toBe('dependencies');
    },
    PATIENCE_MS,
  );

  it('that is larger than its body may be is refused', async () => {
    const content = 'x'.repeat(limits.CONTENT_BYTES_MAX - 2);
    const tasks = named('t', 300).map(() => ({ content, taskType: 'step' }));
    // Who still sends when the answer is there may find the connection closed instead.
    const refused = await stack.request('POST', '/v1/tasks/batch', { tasks }).then(
      ({ status }) => status,
      ({ cause }: Error) => (cause as { code?: string }).code,
    );
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(refused);
  });
});
