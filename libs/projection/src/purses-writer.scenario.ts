import { JetStreamLog } from '@athena/event-log-jetstream';
import { connect } from '@nats-io/transport-node';
import { createPool } from './pool.js';
import { purses } from './purses.scenario.js';
import { ProjectionRunner } from './runner.js';
import { TableModel } from './table-model.js';

/*
 * A process that keeps the purses up to date. It says `writing` on standard output whenever it has
 * attached, and `retrying` when it lost that, and ends with its parent.
 * Environment: PURSES_NATS, PURSES_USER, PURSES_PASSWORD, PURSES_DATABASE.
 */
const { env } = process;
const say = (news: string): void => void process.stdout.write(`${news}\n`);

const nc = await connect({
  servers: env['PURSES_NATS'] ?? '',
  user: env['PURSES_USER'] ?? '',
  pass: env['PURSES_PASSWORD'] ?? '',
});
const log = new JetStreamLog({ nc });
const runner = new ProjectionRunner({
  pool: createPool(env['PURSES_DATABASE'] ?? ''),
  feed: log,
  log,
  model: new TableModel(purses),
  observer: { attached: () => say('writing'), retrying: () => say('retrying') },
});
process.stdin.on('end', () => process.exit(0)).resume();
await runner.start();
