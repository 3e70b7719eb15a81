// The agents and applications of a chaos run, in a process of their own.
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, AthenaClient, defineTask } from '@athena/sdk';
import { z } from 'zod';

const CONCURRENCY = 4;
const WORK_MS = 40;
const BATCH = 20;
const RESULT_MS_MAX = 90_000;
const ignore = () => undefined;

const square = defineTask({
  name: 'square',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  requirements: ['arithmetic'],
});

const agents = [];
const started = new Map();
let clients;

async function begin({ connection, agents: count }) {
  const { gatewayUrl: url, natsUrl, project, apiKey } = connection;
  clients = [
    await AthenaClient.connect({ url, apiKey }),
    await AthenaClient.connectNats({ natsUrl, project, name: 'chaos', apiKey }),
  ];
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  for (let index = 0; index < count; index++) {
    const agent = new Agent({
      ...{ natsUrl, project, apiKey, log, concurrency: CONCURRENCY },
      agentId: `agent-${index}`,
      capabilities: ['arithmetic', `only-${index}`],
    });
    agent.handle(square, async ({ n }) => {
      await sleep(WORK_MS);
      return { n: n * n };
    });
    agent.handle('probe', ({ probe }) => {
      if (!started.has(probe)) started.set(probe, Date.now());
    });
    await agent.start();
    agents.push(agent);
  }
}

/** Submits `count` tasks spread over `ms` and waits for all of them. */
async function work({ count, ms, first }) {
  const taskIds = [];
  const errors = [];
  const outcomes = [];
  const settle = async (handle, n) => {
    const result = await handle.result({ timeoutMs: RESULT_MS_MAX });
    if (result.n !== n * n) errors.push(`${handle.taskId}: ${result.n} for the square of ${n}`);
  };
  const submit = async (from, to, client) => {
    const inputs = Array.from({ length: to - from }, (_, index) => ({
      input: { n: from + index },
    }));
    const handles = await client.submitMany(square, inputs);
    handles.forEach((handle, index) => {
      taskIds.push(handle.taskId);
      outcomes.push(
        settle(handle, from + index).catch((error) => errors.push(`${handle.taskId} ${error}`)),
      );
    });
  };
  const pace = (ms * BATCH) / count;
  const submitted = [];
  for (let done = 0, turn = 0; done < count; done += BATCH, turn++) {
    const to = Math.min(count, done + BATCH);
    const client = clients[turn % clients.length];
    submitted.push(
      submit(first + done, first + to, client).catch((error) => errors.push(String(error))),
    );
    await sleep(pace);
  }
  await Promise.all(submitted);
  await Promise.all(outcomes);
  return { taskIds, errors };
}

/** One task for every agent; when each was started, milliseconds of the machine's clock. */
async function probeAll({ name }) {
  const creates = agents.map((_, index) =>
    clients[1].tasks.create({
      content: { probe: `${name}.${index}` },
      taskType: 'probe',
      requirements: [`only-${index}`],
    }),
  );
  const created = await Promise.all(creates);
  const all = agents.map((_, index) => `${name}.${index}`);
  const end = Date.now() + RESULT_MS_MAX;
  while (!all.every((probe) => started.has(probe)) && Date.now() < end) await sleep(5);
  const startedAt = all.map((probe) => started.get(probe) ?? null);
  for (const probe of all) started.delete(probe);
  return { taskIds: created.map(({ taskId }) => taskId), startedAt };
}

async function end() {
  await Promise.all(agents.map((agent) => agent.stop({ deregister: true })));
  await Promise.all(clients.map((client) => client.close()));
}

const tasks = { begin, work, probeAll, end };
process.on('message', async ({ id, op, input }) => {
  try {
    process.send({ id, output: await tasks[op](input) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
  if (op === 'end') process.disconnect();
});
