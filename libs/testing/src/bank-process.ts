import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { Partition, type Answer } from '@athena/event-log';
import { JetStreamLog, KvLease } from '@athena/event-log-jetstream';
import type { WireReply, WireRequest } from '@athena/operation';
import { bank, type BankState } from './bank.js';

/*
 * A process that owns the bank's partition whenever it gets the lease, and answers commands as
 * real owners do. It says on standard output what becomes of it, and ends with its parent.
 * Environment: BANK_NATS (url), BANK_USER, BANK_PASSWORD, BANK_NAME.
 */
export const BANK_PARTITION = 'task.9';
export const BANK_SUBJECT = `athena.cmd.${BANK_PARTITION}`;

/** A line of its output. */
export type BankNews =
  | { readonly now: 'standby' }
  | { readonly now: 'owner'; readonly epoch: number }
  | { readonly now: 'stood down'; readonly epoch: number; readonly because: string };

const say = (news: BankNews): void => void process.stdout.write(`${JSON.stringify(news)}\n`);

async function main({ env }: NodeJS.Process): Promise<void> {
  const nc = await connect({
    servers: env['BANK_NATS'] ?? '',
    user: env['BANK_USER'] ?? '',
    pass: env['BANK_PASSWORD'] ?? '',
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    noAsyncTraces: true,
  });
  const log = new JetStreamLog({ nc });
  const lease = new KvLease({ nc, role: 'bank', holder: env['BANK_NAME'] ?? '' });
  let wake = (): void => undefined;
  lease.onChange(() => wake());
  say({ now: 'standby' });
  for (;;) {
    if (lease.held) await own(nc, log);
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

/** Opens, serves until another one has opened, and says so. */
async function own(nc: NatsConnection, log: JetStreamLog): Promise<void> {
  let standDown: (reason: Error) => void = () => undefined;
  const stoodDown = new Promise<Error>((resolve) => (standDown = resolve));
  const partition = await Partition.open({
    name: BANK_PARTITION,
    log,
    decider: bank,
    owner: process.env['BANK_NAME'] ?? '',
    onStandDown: standDown,
    fetch: async () => new Map(),
  });
  const subscription = nc.subscribe(BANK_SUBJECT, {
    callback: (error, msg) => {
      if (!error) void answer(partition, msg);
    },
  });
  say({ now: 'owner', epoch: partition.epoch });
  const reason = await stoodDown;
  subscription.unsubscribe();
  say({ now: 'stood down', epoch: partition.epoch, because: reason.name });
}

async function answer(partition: Partition<BankState>, msg: Msg): Promise<void> {
  const { items } = msg.json<WireRequest>();
  const answers: Answer[] = await Promise.all(items.map((command) => partition.ask(command)));
  const reply: WireReply = { epoch: partition.epoch, items: answers };
  msg.respond(JSON.stringify(reply));
}

process.stdin.on('end', () => process.exit(0)).resume();
await main(process);
