import { until } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { GatewayWorld, askAt, type Ask } from '../gateway.scenario.js';

const CREDENTIAL_MS = 2_000;
const REQUEST_MS = 2_000;

let world: GatewayWorld;
let ask: Ask;
let agent: NatsConnection;
beforeAll(async () => {
  world = await GatewayWorld.start();
  const { callout, calloutSeed: seed, url: servers } = world.nats;
  const short = { servers, ...callout, seed, credentialMs: CREDENTIAL_MS };
  ask = askAt(await world.gateway({ callout: short }));
  world.core.subscribe('athena.v1.>', {
    callback: (_error, request) => void request.respond('{}'),
  });
});
afterAll(async () => {
  await agent.close();
  await world.stop();
});

describe('a credential', () => {
  it('ends soon: the client returns by itself, but not once its key was revoked', async () => {
    const { body } = await ask('POST', '/v1/keys', { body: { name: 'spec', scopes: ['agent'] } });
    const { apiKey: pass, keyId } = body as unknown as { apiKey: string; keyId: string };
    const inboxPrefix = '_INBOX.default.a1';
    const options = { user: 'default.a1', pass, inboxPrefix, reconnectTimeWait: 50 };
    agent = await connect({ servers: world.nats.url, ...options });
    const events: string[] = [];
    void (async () => {
      for await (const { type } of agent.status()) events.push(type);
    })();

    await until(
      () => events.includes('reconnect'),
      () => `a reconnect: ${events.join()}`,
    );
    await agent.request('athena.v1.default.a1.heartbeat', '{}', { timeout: REQUEST_MS });
    await ask('DELETE', `/v1/keys/${keyId}`);
    await agent.closed();

    expect(agent.isClosed()).toBe(true);
  });
});
