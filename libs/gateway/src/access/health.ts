import { getPartitions, systemHealth, type PartitionMap } from '@athena/contracts';
import type { EventLog } from '@athena/event-log';
import {
  partitionSubject,
  serviceSubject,
  type Operation,
  type WireReply,
  type WireRequest,
} from '@athena/operation';
import type { ServiceHandler } from '@athena/service-kit';
import type { NatsConnection } from '@nats-io/transport-node';
import { handler } from './access-handlers.js';
import type { KeyTable } from './key-table.js';

/** Who does not answer within this counts as down. */
export const PING_MS_MAX = 1_000;
/** No items: nothing is done, and whoever is there says so at once. */
const EMPTY_REQUEST = '{"items":[]}';
const MAP_REQUEST: WireRequest = {
  items: [{ id: 'map', op: getPartitions.name, project: '', actor: 'system:gateway', input: {} }],
};
/** The services that own the partitions. */
const SELF = 'gateway';
const OWNERS = { task: 'task-queue', agent: 'agent-registry', access: SELF } as const;
interface Status {
  readonly status: 'ok' | 'down';
}

export interface HealthSurroundings {
  readonly nats: Pick<NatsConnection, 'request'>;
  readonly log: Pick<EventLog, 'endSeq'>;
  readonly keys: Pick<KeyTable, 'seen'>;
  readonly operations: readonly Operation[];
}

/** Service → where it must answer: its partitions' owners and one of its operations. */
function probesOf(operations: readonly Operation[]): ReadonlyMap<string, string[]> {
  const partitions = new Map<string, string>();
  const services = new Map<string, string>();
  for (const { to, name } of operations) {
    if ('partition' in to) partitions.set(OWNERS[to.partition], partitionSubject(to.partition, 0));
    else if (to.service !== SELF) services.set(to.service, serviceSubject(to.service, name));
  }
  partitions.set(SELF, partitionSubject('access', 0));
  const names = [...new Set([...partitions.keys(), ...services.keys()])].sort();
  const subjects = (name: string) => [partitions.get(name), services.get(name)];
  return new Map(names.map((name) => [name, subjects(name).filter((s) => s !== undefined)]));
}

/** Subjects of the task partitions behind the first; none where that one does not answer. */
async function addedPartitions(nats: HealthSurroundings['nats']): Promise<string[]> {
  const subject = partitionSubject('task', 0);
  const asked = nats.request(subject, JSON.stringify(MAP_REQUEST), { timeout: PING_MS_MAX });
  const reply = await asked.then((message) => message.json<WireReply>()).catch(() => null);
  const answer = reply?.items[0];
  if (!answer || !('ok' in answer)) return [];
  const { partitions, growingTo } = answer.ok as PartitionMap;
  const count = growingTo ?? partitions;
  return Array.from({ length: count }, (_, number) => partitionSubject('task', number)).slice(1);
}

/** Answers system.health by asking every service; never fails because one of them does. */
export function healthHandler(surroundings: HealthSurroundings): ServiceHandler {
  const { nats, log, keys, operations } = surroundings;
  const probes = [...probesOf(operations)];
  const answers = (subject: string): Promise<boolean> =>
    nats.request(subject, EMPTY_REQUEST, { timeout: PING_MS_MAX }).then(
      () => true,
      () => false,
    );
  const check = async ([name, subjects]: [string, string[]]): Promise<[string, Status]> => {
    const more = name === OWNERS.task ? await addedPartitions(nats) : [];
    const up = await Promise.all([...subjects, ...more].map(answers));
    return [name, { status: up.every(Boolean) ? 'ok' : 'down' }];
  };
  return handler(systemHealth, async () => {
    const [checks, seq] = await Promise.all([
      Promise.all(probes.map(check)),
      log.endSeq().catch(() => keys.seen),
    ]);
    const services = Object.fromEntries(checks);
    const allOk = checks.every(([, check]) => check.status === 'ok');
    const status: 'ok' | 'degraded' = allOk ? 'ok' : 'degraded';
    return { output: { status, services, seq }, seq };
  });
}
