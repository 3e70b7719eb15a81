import { setTimeout as pause } from 'node:timers/promises';
import { until } from '@athena/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Called } from './calling.js';
import { Module } from '@nestjs/common';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import {
  startNats,
  startPostgres,
  type RunningNats,
  type RunningPostgres,
} from '../../../tools/stack/servers.mjs';
import { readConfig, type Config } from './config.js';
import { add, counting, type Count } from './counting.scenario.js';
import { startService, type RunningService } from './host.js';
import { hosted, type HostedService } from './hosted.js';
import { PartitionHost } from './partition-host.js';
import { Platform } from './platform.js';

/** A service as all of ours are: one that keeps one partition. */
class Counter implements HostedService {
  readonly host: PartitionHost<Count>;

  constructor(platform: Platform) {
    const { nats, log, feed, store, owner, telemetry } = platform;
    const [observer, lease] = [telemetry.partition('access.0'), platform.lease('access.0')];
    const parts = { nats, log, feed, store, lease, owner, observer };
    this.host = new PartitionHost({ ...parts, aggregate: 'access', number: 0, decider: counting });
  }

  readonly name = 'counter';

  get parts(): readonly PartitionHost<Count>[] {
    return [this.host];
  }
  start(): void {
    this.host.start();
  }
  stop(): Promise<void> {
    return this.host.close();
  }
}

@Module({ providers: hosted(Counter, (platform) => new Counter(platform)) })
class CountModule {}

let dir: string;
let nats: RunningNats;
let postgres: RunningPostgres;
let running: RunningService[] = [];
const natsDir = (): string => join(dir, 'nats');
const postgresDir = (): string => join(dir, 'postgres');

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'athena-host-'));
  [nats, postgres] = await Promise.all([
    startNats({ dir: natsDir() }),
    startPostgres({ dir: postgresDir() }),
  ]);
});
afterEach(async () => {
  await Promise.all(running.map((service) => service.stop()));
  running = [];
});
afterAll(async () => {
  await Promise.all([nats.stop(), postgres.stop()]);
  await rm(dir, { recursive: true, force: true });
});

/** On the same port with the same data. */
async function restartPostgres(): Promise<void> {
  postgres = await startPostgres({ dir: postgresDir(), port: postgres.port });
}

const config = (env: Record<string, string> = {}): Config =>
  readConfig({
    ...nats.env,
    ...postgres.env,
    ATHENA_MANAGEMENT_PORT: '0',
    ATHENA_LOG_LEVEL: 'silent',
    ATHENA_LOG_MAX_BYTES: String(64 * 1024 ** 2),
    ...env,
  });

async function start(env: Record<string, string> = {}): Promise<RunningService> {
  const services = [{ module: CountModule }];
  const service = await startService({ name: 'counting', services, config: config(env) });
  running.push(service);
  return service;
}
const increase = (service: RunningService, by: number): Promise<Called<number>> =>
  service.get(Platform).calls.call(add, { by }, { project: 'p', actor: 'key:k' });

interface Health {
  status: string;
  details: Record<string, { status: string; state?: string }>;
}
async function readiness(service: RunningService): Promise<[number, Health]> {
  const answer = await fetch(`${service.managementUrl}/healthz/ready`);
  return [answer.status, (await answer.json()) as Health];
}
const untilReady = (service: RunningService): Promise<void> =>
  until(async () => (await readiness(service))[0] === 200);

describe('a service', () => {
  it('boots, serves, tells its health and its metrics, stops, and goes on where it was', async () => {
    const service = await start();
    await untilReady(service);
    const { output } = await increase(service, 3);

    const probes = ['live', 'startup', 'ready'].map((name) =>
      fetch(`${service.managementUrl}/healthz/${name}`).then(({ status }) => status),
    );
    expect(await Promise.all(probes)).toEqual([200, 200, 200]);
    const [, health] = await readiness(service);
    expect(health.details).toMatchObject({
      nats: { status: 'up' },
      postgres: { status: 'up' },
      'event log': { status: 'up' },
      'event loop': { status: 'up' },
      'access.0': { status: 'up', state: 'owner' },
    });
    const scrape = await fetch(`${service.managementUrl}/metrics`);
    expect(scrape.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await scrape.text();
    expect(text).toContain('athena_append_duration_seconds_count{partition="access.0"}');
    expect(text).toContain('athena_log_position 2');
    expect(text).toContain('athena_part_state{part="access.0",state="owner"} 1');
    expect(text).toContain('athena_nodejs_eventloop_lag_seconds');

    await service.stop();
    await expect(fetch(`${service.managementUrl}/healthz/live`)).rejects.toThrow();

    const next = await start();
    await untilReady(next);
    expect((await increase(next, 1)).output).toBe(output + 1);
  });

  it('shows nothing else on the management port', async () => {
    const service = await start();

    const paths = ['/', '/v1/tasks', '/healthz', '/metrics/x', '/healthz/live/../../etc/passwd'];
    const answers = await Promise.all(paths.map((path) => fetch(service.managementUrl + path)));

    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 404));
  });

  it('with a standby: the other process takes over at once when the owner stops', async () => {
    const owner = await start();
    await untilReady(owner);
    const before = (await increase(owner, 1)).output;
    const standby = await start();
    await untilReady(standby);
    const states = [owner, standby].map((service) => service.get(Counter).host.state);
    expect(states).toEqual(['owner', 'standby']);

    const began = Date.now();
    const stopping = owner.stop();
    const { output } = await increase(standby, 1);

    expect(output).toBe(before + 1);
    expect(Date.now() - began).toBeLessThan(2_000);
    await stopping;
  });

  it('writes nothing while the stream is not as it must be', async () => {
    const { user, password: pass } = nats.core;
    const operator = await connect({ servers: nats.url, user, pass });
    const { streams } = await jetstreamManager(operator);
    await streams.update('ATHENA_EVENTS', { max_msgs: 1_000_000 });

    const service = await start();
    const write = service
      .get(Platform)
      .calls.call(add, { by: 1 }, { project: 'p', actor: 'key:k', budgetMs: 200 });

    await expect(write).rejects.toThrow(/UNAVAILABLE/);
    const [status, health] = await readiness(service);
    expect([status, health.details['event log']?.status]).toEqual([503, 'down']);
    await streams.update('ATHENA_EVENTS', { max_msgs: -1 });
    await operator.close();
  });
});

describe('without Postgres', () => {
  it('a service starts and writes; it is ready when Postgres has come', async () => {
    await postgres.kill();
    const service = await start();
    await until(async () => service.get(Counter).host.state === 'owner');

    await increase(service, 1);
    const [status, health] = await readiness(service);
    expect([status, health.details['postgres']?.status]).toEqual([503, 'down']);

    await restartPostgres();
    await untilReady(service);
  }, 20_000);

  it('that went away writes go on, and requests are still wanted', async () => {
    const service = await start();
    await untilReady(service);

    await postgres.kill();
    await increase(service, 1);
    await until(
      async () => (await readiness(service))[1].details['postgres']?.status === 'degraded',
    );

    expect((await readiness(service))[0]).toBe(200);
    await restartPostgres();
  }, 20_000);
});

it('waits for NATS where it is not there yet', async () => {
  const { port } = nats;
  await nats.kill();
  let started = false;
  const service = start().then((made) => ((started = true), made));
  await pause(600);
  expect(started).toBe(false);

  nats = await startNats({ dir: natsDir(), port });

  await untilReady(await service);
}, 20_000);
