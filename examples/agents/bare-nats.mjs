// A whole agent with nothing but a NATS client: it answers tasks that require `shout`.
//   NATS_URL=… ATHENA_API_KEY=… node examples/agents/bare-nats.mjs
// The protocol is described in docs/protocol/README.md; any language with a NATS client will do.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';

const { NATS_URL, ATHENA_API_KEY, ATHENA_PROJECT = 'default', AGENT_ID = 'bare-1' } = process.env;
const me = `${ATHENA_PROJECT}.${AGENT_ID}`;
const nats = await connect({
  servers: NATS_URL,
  user: me,
  pass: ATHENA_API_KEY,
  inboxPrefix: `_INBOX.${me}`,
  maxReconnectAttempts: -1,
  ignoreAuthErrorAbort: true,
});

/** One request; a refusal (headers Nats-Service-Error*, body {code, detail}) becomes an error. */
async function ask(verb, body, timeout = 20_000) {
  const answer = await nats.request(`athena.v1.${me}.${verb}`, JSON.stringify(body), { timeout });
  const code = answer.headers?.get('Nats-Service-Error');
  if (code) throw Object.assign(new Error(answer.json().detail), { code });
  return answer.json();
}
const register = () => ask('register', { capabilities: ['shout'], maxConcurrentTasks: 1 });

async function perform({ taskId, lease, content }) {
  await ask('start', { taskId, lease });
  const begun = performance.now();
  const result = `${String(content).toUpperCase()}!`;
  const metrics = { durationMs: performance.now() - begun };
  await ask('complete', { taskId, lease, result, metrics });
}

/** A passing trouble is waited out; an agent that is not known (any more) registers. */
async function recover(error) {
  console.error(`${error.code ?? error.name}: ${error.message}`);
  if (error.code === 'AGENT_NOT_FOUND') await register().catch(() => {});
  await sleep(500);
}

await register();
console.log(`${me} is ready`);
setInterval(() => ask('heartbeat', {}).catch(recover), 5_000);
for (let claimId = randomUUID(); ;) {
  try {
    const { tasks } = await ask('claim', { capacity: 1, waitMs: 20_000, claimId }, 25_000);
    claimId = randomUUID(); // Only now: a claim whose answer was lost is asked again as it was.
    for (const task of tasks) {
      await perform(task).catch((error) => {
        const { taskId, lease } = task;
        return ask('fail', { taskId, lease, error: error.message, shouldRetry: true });
      });
    }
  } catch (error) {
    await recover(error);
  }
}
