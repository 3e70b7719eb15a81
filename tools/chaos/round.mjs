import { setTimeout as sleep } from 'node:timers/promises';

const PROBE_EVERY_MS = 50;
const PROBE_MS_MAX = 60_000;

/**
 * One fault under load: strikes while tasks are being created and worked on, measures how long it
 * takes until others have taken over, waits for all of the work, and checks everything.
 */
export async function round({ stack, load, client, recount, fault, number, tasks, loadMs }) {
  await stack.untilWhole();
  const first = number * tasks;
  const working = load.ask('work', { count: tasks, ms: loadMs, first });
  await sleep(loadMs / 3);
  const at = await fault.strike(stack);
  const measured = await takeOvers({ load, client, fault, at, number });
  await fault.calm?.(stack);
  const { taskIds, errors } = await working;
  const doneMs = Date.now() - at;
  await stack.untilWhole();
  const expected = [...taskIds, ...measured.probes];
  const lost = taskIds.length === tasks ? [] : [`${taskIds.length} of ${tasks} were accepted`];
  const wrong = await recount.check(expected);
  const missing = measured.unmet.map((what) => `${what}: not within ${PROBE_MS_MAX} ms`);
  return {
    fault: fault.name,
    takeOverMs: measured.ms,
    doneMs,
    findings: [...lost, ...errors, ...missing, ...wrong],
  };
}

/** Milliseconds until the first new create, registration or assignment; and all parked claims. */
async function takeOvers({ load, client, fault, at, number }) {
  const ms = {};
  const probes = [];
  const unmet = [];
  const measure = async (what, work) => {
    const ended = await work();
    if (ended === null) unmet.push(what);
    else ms[what] = ended - at;
  };
  const measures = {
    'task-queue': () => measure('create', () => firstSuccess(() => create(client))),
    'agent-registry': () => measure('register', () => firstSuccess(() => register(client))),
    router: async () => {
      const { taskIds, startedAt } = await load.ask('probeAll', { name: `probe-${number}` });
      probes.push(...taskIds);
      const known = startedAt.filter((started) => started !== null);
      await measure('assign', async () => (known.length > 0 ? Math.min(...known) : null));
      const all = known.length === startedAt.length;
      await measure('parked claims', async () => (all ? Math.max(...known) : null));
    },
  };
  await Promise.all(fault.ledBy.map((service) => measures[service]()));
  return { ms, probes, unmet };
}

/** When the first of many tries succeeded; a try begins every PROBE_EVERY_MS. */
async function firstSuccess(attempt) {
  const end = Date.now() + PROBE_MS_MAX;
  let succeededAt = null;
  while (succeededAt === null && Date.now() < end) {
    attempt().then(
      () => (succeededAt ??= Date.now()),
      () => undefined,
    );
    await sleep(PROBE_EVERY_MS);
  }
  return succeededAt;
}

/** Nobody can do it: it waits for good and is nobody's outcome. */
const create = (client) =>
  client.tasks.create({ content: 0, taskType: 'waits', requirements: ['nobody'] });
const register = (client) =>
  client.agents.register({ agentId: 'passer-by', capabilities: ['passing'] });
