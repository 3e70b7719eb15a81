import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type NatsConnection, connect } from '@nats-io/transport-node';
import { type RunningNats, startNats } from '../../../../tools/stack/servers.mjs';
import { KEY, openGate } from '../scenarios/gate.scenario.js';
import { openConnection } from './connection.js';

let nats: RunningNats;
let callout: NatsConnection;
beforeAll(async () => {
  nats = await startNats();
  const { user, password } = nats.callout;
  callout = await connect({ servers: nats.url, user, pass: password });
});
afterAll(async () => {
  await callout.close();
  await nats.stop();
});

describe('a first connection', () => {
  it('is tried again while the gateway, which vouches for clients, is away', async () => {
    const opened = openConnection({ natsUrl: nats.url, user: 'default.early', apiKey: KEY });
    await new Promise((resolve) => setTimeout(resolve, 500));
    openGate(callout, nats.calloutSeed);
    const connection = await opened;
    expect(connection.isClosed()).toBe(false);
    await connection.close();
  });

  it('ends at once when the gateway refuses the key', async () => {
    const refused = openConnection({ natsUrl: nats.url, user: 'default.early', apiKey: 'no' });
    await expect(refused).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
  });
});
