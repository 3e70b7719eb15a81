// The load of the lifecycle scenario, in a process of its own.
import { startAgent, startCreator } from './clients.mjs';

let stopping = false;
let completed = 0;
let created = 0;

const task = () => ({
  content: { text: 'x'.repeat(120) },
  taskType: 'bench',
  requirements: ['bench'],
});

process.once('message', async ({ stack, agents, capacity, inFlight }) => {
  const onTask = () => completed++;
  const fleet = [];
  for (let n = 0; n < agents; n++) {
    fleet.push(await startAgent(stack, `bench-${n}`, { capacity, onTask }));
  }
  const creator = await startCreator(stack);
  const progress = { isOver: () => stopping, completed: () => completed };
  const flood = creator.flood(inFlight, task, progress);
  process.on('message', async ({ type }) => {
    if (type === 'count') process.send({ type, completed });
    if (type !== 'stop') return;
    const began = performance.now();
    stopping = true;
    created = await flood;
    while (completed < created) await new Promise((resolve) => setTimeout(resolve, 5));
    await Promise.all(fleet.map((agent) => agent.stop()));
    await creator.close();
    process.send({ type, drainedMs: performance.now() - began });
  });
  process.send({ type: 'running' });
});
