// Bare NATS clients for the load: they cost as little as a client can.
import { connect } from '@nats-io/transport-node';

const FLUSH_ITEMS = 200;

/** An agent that claims, completes at once, and claims again. */
export async function startAgent({ natsUrl, project, apiKey }, agentId, { capacity, onTask }) {
  const nats = await connect({
    servers: natsUrl,
    user: `${project}.${agentId}`,
    pass: apiKey,
    inboxPrefix: `_INBOX.${project}.${agentId}`,
    noAsyncTraces: true,
  });
  const ask = async (verb, body, timeout = 30_000) => {
    const subject = `athena.v1.${project}.${agentId}.${verb}`;
    const answer = await nats.request(subject, JSON.stringify(body), { timeout });
    const refusal = answer.headers?.get('Nats-Service-Error');
    if (refusal) throw new Error(`${verb}: ${refusal} ${answer.string()}`);
    return answer.json();
  };
  await ask('register', { capabilities: ['bench'], maxConcurrentTasks: capacity });
  let running = true;
  const beat = setInterval(() => void ask('heartbeat', {}).catch(() => undefined), 5_000);
  const loop = (async () => {
    for (let n = 0; running; n++) {
      const claimId = `${agentId}-${n}`;
      const { tasks } = await ask('claim', { capacity, claimId, waitMs: 1_000 });
      if (tasks.length === 0) continue;
      for (const task of tasks) onTask?.(task);
      const items = tasks.map(({ taskId, lease }) => ({ taskId, lease, result: 1 }));
      await ask('complete', { items });
    }
  })();
  return {
    async stop() {
      running = false;
      clearInterval(beat);
      await loop;
      await ask('deregister', {});
      await nats.close();
    },
  };
}

/** An application that keeps creating; creates of the same moment share a message. */
export async function startCreator({ natsUrl, project, apiKey }) {
  const nats = await connect({
    servers: natsUrl,
    user: `${project}.app.bench`,
    pass: apiKey,
    inboxPrefix: `_INBOX.${project}.app.bench`,
    noAsyncTraces: true,
  });
  const subject = `athena.api.v1.${project}.task.create`;
  const send = async (items) => {
    const answer = await nats.request(subject, JSON.stringify({ items }), { timeout: 30_000 });
    const refusal = answer.headers?.get('Nats-Service-Error');
    if (refusal) throw new Error(`create: ${refusal} ${answer.string()}`);
    return answer.json().items;
  };
  return {
    /** Keeps `inFlight` tasks created and not completed, until `isOver`; resolves with how many. */
    async flood(inFlight, task, { isOver, completed }) {
      let created = 0;
      const lane = async () => {
        while (!isOver()) {
          const room = Math.min(FLUSH_ITEMS, inFlight - (created - completed()));
          if (room <= 0) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            continue;
          }
          created += room;
          const answers = await send(Array.from({ length: room }, task));
          const refused = answers.find(({ refusal }) => refusal);
          if (refused) throw new Error(`create: ${JSON.stringify(refused)}`);
        }
      };
      await Promise.all(Array.from({ length: Math.ceil(inFlight / FLUSH_ITEMS) }, lane));
      return created;
    },
    async create(task) {
      const answer = await nats.request(subject, JSON.stringify(task), { timeout: 30_000 });
      return answer.json();
    },
    close: () => nats.close(),
  };
}
