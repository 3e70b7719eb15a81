import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { CommitChain, describeEventLog } from '@athena/testing';
import { NatsBroker } from '@athena/testing/broker';
import { JetStreamLog } from './jetstream-log.js';
import { IN_FLIGHT_BYTES_MAX } from './ordered-consumer.js';

let broker: NatsBroker;
beforeAll(async () => {
  broker = await NatsBroker.start();
});
afterAll(() => broker.stop());

describeEventLog('JetStreamLog', () => broker.emptyLog());

it('pulls no more than its bound ahead of a reader that does not go on', async () => {
  const { log, end } = await broker.emptyLog();
  await new CommitChain('task.0').appendTo(log, 30, 'x'.repeat(700_000));
  const nc = await broker.connect();
  let goOn = (): void => undefined;
  const blocked = new Promise<void>((resolve) => (goOn = resolve));
  const follower = new JetStreamLog({ nc }).follow({ from: 1 }, () => blocked);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { inBytes } = nc.stats();
  goOn();
  await follower.stop();
  await broker.disconnect(nc);
  await end();
  expect(inBytes).toBeGreaterThan(IN_FLIGHT_BYTES_MAX / 2);
  expect(inBytes).toBeLessThan(IN_FLIGHT_BYTES_MAX * 1.1);
});
