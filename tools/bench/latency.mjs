import { startAgent, startCreator } from './clients.mjs';
import { percentile, rounded } from './processes.mjs';

const PAUSE_MS = 5;
const WARM_UP = 200;

/** One task at a time on an idle stack: create → answered, and create → in an agent's hands. */
export async function latency(stack, { seconds }) {
  const claimedAt = new Map();
  const onTask = ({ taskId }) => claimedAt.set(taskId, performance.now());
  const agent = await startAgent(stack, 'bench-latency', { capacity: 5, onTask });
  const creator = await startCreator(stack);
  const overNats = await sample(seconds / 2, claimedAt, (task) => creator.create(task));
  const overHttp = await sample(seconds / 2, claimedAt, (task) => post(stack, task));
  await agent.stop();
  await creator.close();
  return [
    row('create', 'nats', overNats.created),
    row('create→claimed', 'nats', overNats.claimed),
    row('create', 'rest', overHttp.created),
    row('create→claimed', 'rest', overHttp.claimed),
  ];
}

async function post({ gatewayUrl, apiKey }, task) {
  const answer = await fetch(`${gatewayUrl}/v1/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(task),
  });
  return answer.json();
}

async function sample(seconds, claimedAt, create) {
  const created = [];
  const claimed = [];
  const until = performance.now() + seconds * 1_000;
  for (let n = 0; performance.now() < until || n < WARM_UP * 2; n++) {
    const began = performance.now();
    const { taskId } = await create({ content: n, taskType: 'bench', requirements: ['bench'] });
    const answeredMs = performance.now() - began;
    while (!claimedAt.has(taskId)) await new Promise((resolve) => setImmediate(resolve));
    if (n >= WARM_UP) {
      created.push(answeredMs);
      claimed.push(claimedAt.get(taskId) - began);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return { created, claimed };
}

function row(what, surface, samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    scenario: 'latency',
    system: 'athena',
    settings: { what, surface, samples: sorted.length, fsync: true },
    p50Ms: rounded(percentile(sorted, 50)),
    p95Ms: rounded(percentile(sorted, 95)),
    p99Ms: rounded(percentile(sorted, 99)),
  };
}
