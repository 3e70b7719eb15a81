import { fork } from 'node:child_process';
import { join } from 'node:path';
import { cpuMicros, descendants, residentMiB, rounded } from './processes.mjs';

const AGENTS = 50;
const CAPACITY = 20;
const IN_FLIGHT = 1_000;
const WARM_UP_MS = 3_000;

/** Lifecycles per second: create → assign → start → complete, every step in the log, fsync on. */
export async function lifecycle(stack, { seconds }) {
  const load = fork(join(import.meta.dirname, 'lifecycle-load.mjs'));
  const messages = inbox(load);
  load.send({ stack, agents: AGENTS, capacity: CAPACITY, inFlight: IN_FLIGHT });
  await messages.next('running');
  await sleep(WARM_UP_MS);
  const own = descendants(stack.rootPid);
  const before = { cpu: cpuMicros(own), loadCpu: cpuMicros([load.pid]), at: performance.now() };
  const from = await messages.ask('count');
  await sleep(seconds * 1_000);
  const to = await messages.ask('count');
  const elapsed = (performance.now() - before.at) / 1_000;
  const done = to.completed - from.completed;
  const cpu = cpuMicros(own) - before.cpu;
  const loadCpu = cpuMicros([load.pid]) - before.loadCpu;
  const memoryMiB = residentMiB(own);
  const { drainedMs } = await messages.ask('stop');
  const visibleMs = await untilVisible(stack);
  load.kill();
  return [
    {
      scenario: 'lifecycle',
      system: 'athena',
      settings: { agents: AGENTS, inFlight: IN_FLIGHT, fsync: true, seconds },
      perSecond: Math.round(done / elapsed),
      cpuMicrosPerItem: rounded(cpu / done),
      loadMicrosPerItem: rounded(loadCpu / done),
      memoryMiB,
      drainedMs: Math.round(drainedMs),
      visibleMs: Math.round(visibleMs),
    },
  ];
}

/** How long the projections need, after the last completion, to show all of it. */
async function untilVisible({ gatewayUrl, apiKey }) {
  const began = performance.now();
  const headers = { authorization: `Bearer ${apiKey}` };
  const { seq } = await (await fetch(`${gatewayUrl}/v1/health`, { headers })).json();
  for (;;) {
    const answer = await fetch(`${gatewayUrl}/v1/queue/metrics?minSeq=${seq}`, { headers });
    if (answer.ok) return performance.now() - began;
    if (performance.now() - began > 120_000) throw new Error('the projections did not catch up');
  }
}

function inbox(child) {
  const waiting = new Map();
  child.on('message', ({ type, ...rest }) => waiting.get(type)?.(rest));
  child.once('exit', (code) => {
    if (code) console.error(`bench: the load ended with ${code}`);
  });
  const next = (type) => new Promise((resolve) => waiting.set(type, resolve));
  return {
    next,
    ask(type) {
      const answer = next(type);
      child.send({ type });
      return answer;
    },
  };
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
