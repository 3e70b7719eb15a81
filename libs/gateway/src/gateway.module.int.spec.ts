import { until } from '@athena/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from '@nats-io/transport-node';
import { readConfig, startService, type Config, type RunningService } from '@athena/service-kit';
import {
  startNats,
  startPostgres,
  type RunningNats,
  type RunningPostgres,
} from '../../../tools/stack/servers.mjs';
import { GatewayModule } from './gateway.module.js';
import { Gateway } from './gateway.js';
import { ROOT_KEY, askAt, type Ask } from './gateway.scenario.js';

/* The gateway as its app hosts it: JetStream's log, leases and Postgres are real. */
let nats: RunningNats;
let postgres: RunningPostgres;
let config: Config;
let running: RunningService[] = [];

beforeAll(async () => {
  [nats, postgres] = await Promise.all([startNats(), startPostgres()]);
  config = readConfig({
    ...nats.env,
    ...postgres.env,
    ATHENA_BOOTSTRAP_KEY: ROOT_KEY,
    ATHENA_HTTP_PORT: '0',
    ATHENA_MANAGEMENT_PORT: '0',
    ATHENA_LOG_MAX_BYTES: String(64 * 1024 * 1024),
    ATHENA_LOG_LEVEL: 'silent',
  });
});
afterEach(async () => {
  await Promise.all(running.map((service) => service.stop()));
  running = [];
});
afterAll(async () => {
  await Promise.all([nats.stop(), postgres.stop()]);
});

async function start(): Promise<{ service: RunningService; gateway: Gateway; ask: Ask }> {
  const service = await startService({
    name: 'gateway',
    services: [{ module: GatewayModule }],
    config,
  });
  running.push(service);
  const gateway = service.get(Gateway);
  await until(
    () => gateway.readiness.ready,
    () => gateway.readiness.state,
  );
  return { service, gateway, ask: askAt(gateway) };
}

describe('the gateway in its process', () => {
  it('keeps projects and keys over a restart', async () => {
    const first = await start();
    const key = { name: 'reader', scopes: ['agents:read'] };
    const { apiKey } = (await first.ask('POST', '/v1/keys', { body: key })).body as never;
    await first.service.stop();

    const { ask } = await start();
    const { body } = await ask('GET', '/v1/keys');

    expect((body['keys'] as { name: string }[]).map(({ name }) => name)).toEqual([
      'bootstrap',
      'reader',
    ]);
    expect((await ask('GET', '/v1/tasks', { key: apiKey })).status).toBe(403);
  });

  it('works in two processes: a key of one opens the other, which takes over', async () => {
    const one = await start();
    const two = await start();
    const body = { name: 'n', scopes: ['admin', 'tasks:read'] };
    const { apiKey: key } = (await one.ask('POST', '/v1/keys', { body })).body as never;

    let status = 401;
    while (status === 401) ({ status } = await two.ask('GET', '/v1/keys', { key }));
    expect(status).toBe(200);
    await one.service.stop();

    expect((await two.ask('POST', '/v1/projects', { body: { project: 'blue' } })).status).toBe(201);
  });

  it('lets an application in over NATS that proves its key', async () => {
    await start();
    const user = 'default.app.shop';
    const login = { servers: nats.url, user, pass: ROOT_KEY, inboxPrefix: `_INBOX.${user}` };
    const app = await connect(login);

    const answer = await app.request('athena.api.v1.default.system.health', '{}', {
      timeout: 5_000,
    });

    expect(answer.json()).toMatchObject({
      status: 'degraded',
      services: { gateway: { status: 'ok' }, 'task-queue': { status: 'down' } },
    });
    await app.close();
  });

  it('tells its probes when it serves', async () => {
    const { service } = await start();
    const response = await fetch(`${service.managementUrl}/healthz/ready`);
    expect(await response.json()).toMatchObject({
      status: 'ok',
      details: { gateway: { status: 'up', state: 'serving' } },
    });
    const metrics = await (await fetch(`${service.managementUrl}/metrics`)).text();
    expect(metrics).toContain('athena_');
  });
});
