import type { fleetStatistics, queueMetrics, systemHealth } from '@athena/contracts';
import { type AthenaClient, AthenaError } from '@athena/sdk';
import type { Operation, Output } from '@athena/operation';
import { type Command, EXIT_FAILED, EXIT_OK } from '../command/command.js';
import { formatDuration } from '../command/duration.js';
import { CALL_MS_DEFAULT, timeoutFlag, whereTo } from '../command/global-flags.js';
import { connected } from '../place/connected.js';
import { findTarget } from '../place/target.js';
import { plain } from '../view/plain.js';
import { columnsOf } from '../view/table.js';
import { asJson } from '../view/view.js';

type Part<T extends Operation> = Output<T> | { readonly refused: string };

interface Status {
  readonly health: Output<typeof systemHealth>;
  readonly queue: Part<typeof queueMetrics>;
  readonly agents: Part<typeof fleetStatistics>;
}

export const statusCommand: Command = {
  path: ['status'],
  summary: 'One screen: the services’ health, tasks by status, the fleet.',
  positionals: [],
  flags: [timeoutFlag, ...whereTo],
  notes: ['Exit status 1 where a service is down or the platform can’t be reached.'],
  async run(given, world) {
    const { url } = await findTarget(given, world);
    const timeoutMs = given.number(timeoutFlag.name) ?? CALL_MS_DEFAULT;
    const status = await connected(given, world, (client) => look(client, timeoutMs));
    world.out(given.isOn('json') ? asJson(status) : screen(url, status));
    return status.health.status === 'ok' ? EXIT_OK : EXIT_FAILED;
  },
};

/** Health is asked for first: without it, nothing else is worth waiting for. */
async function look(client: AthenaClient, timeoutMs: number): Promise<Status> {
  const part = <T>(answer: Promise<T>): Promise<T | { readonly refused: string }> =>
    answer.catch((error: unknown) => {
      if (error instanceof AthenaError) return { refused: error.message };
      throw error;
    });
  const health = await client.system.health({}, { timeoutMs });
  const [queue, agents] = await Promise.all([
    part(client.tasks.metrics({}, { timeoutMs })),
    part(client.agents.statistics({}, { timeoutMs })),
  ]);
  return { health, queue, agents };
}

function screen(url: string, { health, queue, agents }: Status): string {
  const down = Object.entries(health.services).filter(([, { status }]) => status !== 'ok');
  const up = Object.keys(health.services).length - down.length;
  const services = [
    `${up} of ${up + down.length} answer`,
    ...down.map(([name]) => `${plain(name)} is down`),
  ];
  return columnsOf([
    ['platform', `${url} ${health.status}`],
    ['services', services.join(', ')],
    ['log', `position ${health.seq}`],
    ...queueRows(queue),
    ...agentRows(agents),
  ]);
}

const counts = (by: Readonly<Record<string, number>>): string =>
  Object.entries(by)
    .map(([name, count]) => `${plain(name)} ${count}`)
    .join(', ') || 'none';

const percent = (share: number | null): string =>
  share === null ? '–' : `${Math.round(share * 1_000) / 10} %`;

const duration = (ms: number | null): string => (ms === null ? '–' : formatDuration(ms));

function queueRows(queue: Status['queue']): [string, string][] {
  if ('refused' in queue) return [['tasks', plain(queue.refused)]];
  const { waitMs, runMs } = queue;
  return [
    ['tasks', counts(queue.byStatus)],
    ['oldest pending', duration(queue.oldestPendingMs)],
    ['throughput', `${queue.throughputPerMinute} completed in the last minute`],
    ['success', `${percent(queue.successRate)}, retried ${percent(queue.retryRate)}`],
    ['waiting', `p50 ${duration(waitMs.p50)}, p95 ${duration(waitMs.p95)}`],
    ['running', `p50 ${duration(runMs.p50)}, p95 ${duration(runMs.p95)}`],
  ];
}

function agentRows(agents: Status['agents']): [string, string][] {
  if ('refused' in agents) return [['agents', plain(agents.refused)]];
  const { activeTasks, capacity, utilisation } = agents;
  return [
    ['agents', `${agents.total}: ${counts(agents.byStatus)}`],
    ['slots', `${activeTasks} of ${capacity} taken (${percent(utilisation)})`],
    ['capabilities', counts(agents.skills)],
  ];
}
