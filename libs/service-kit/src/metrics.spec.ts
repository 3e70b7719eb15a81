import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { Histogram } from './histogram.js';
import { Metrics } from './metrics.js';

const linesOf = async (metrics: Metrics, name: string): Promise<string[]> =>
  (await metrics.registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith(`athena_${name}`));

describe('a histogram', () => {
  it('counts cumulatively, a value on a bound inside it', async () => {
    const registry = new Registry();
    const histogram = new Histogram(
      { name: 'h', help: 'help', labels: ['op'], buckets: [1, 5] },
      registry,
    );
    for (const value of [0.5, 1, 3, 9]) histogram.of('a').observe(value);

    expect(await registry.metrics()).toBe(
      [
        '# HELP h help',
        '# TYPE h histogram',
        'h_bucket{op="a",le="1"} 2',
        'h_bucket{op="a",le="5"} 3',
        'h_bucket{op="a",le="+Inf"} 4',
        'h_sum{op="a"} 13.5',
        'h_count{op="a"} 4',
        '',
      ].join('\n'),
    );
  });
});

describe('the metrics', () => {
  it('tell latency by operation and surface, and refusals by name', async () => {
    const metrics = new Metrics();
    metrics.requested('rest', 'task.create', 3);
    metrics.requested('rest', 'task.create', 3, 'INVALID_INPUT');
    metrics.requested('agent', 'task.start', 700, 'made up by a caller');

    expect(await linesOf(metrics, 'request_duration_seconds_count')).toEqual([
      'athena_request_duration_seconds_count{operation="task.create",surface="rest"} 2',
      'athena_request_duration_seconds_count{operation="task.start",surface="agent"} 1',
    ]);
    expect(await linesOf(metrics, 'refusals_total')).toEqual([
      'athena_refusals_total{code="INVALID_INPUT",surface="rest"} 1',
      'athena_refusals_total{code="OTHER",surface="agent"} 1',
    ]);
  });

  it('read gauges when they are scraped, and forget what is not there any more', async () => {
    const metrics = new Metrics();
    let tasks: Record<string, number> = { pending: 3, running: 1 };
    metrics.watchTasks(() => tasks);
    await linesOf(metrics, 'tasks');
    tasks = { pending: 2 };

    expect(await linesOf(metrics, 'tasks')).toEqual(['athena_tasks{state="pending"} 2']);
  });

  it('tell the log’s position and how far projections are behind', async () => {
    const metrics = new Metrics();
    metrics.watchLog(async () => 12);
    metrics.watchProjection({ name: 'tasks', position: 9, lag: { events: 3, seconds: 0.5 } });

    expect(await linesOf(metrics, 'log_position')).toEqual(['athena_log_position 12']);
    expect(await linesOf(metrics, 'projection_')).toEqual([
      'athena_projection_position{projection="tasks"} 9',
      'athena_projection_lag_events{projection="tasks"} 3',
      'athena_projection_lag_seconds{projection="tasks"} 0.5',
    ]);
  });

  it('carry the process’s own figures too', async () => {
    const metrics = new Metrics();

    expect(await linesOf(metrics, 'process_resident_memory_bytes')).toHaveLength(1);
    expect(await linesOf(metrics, 'nodejs_eventloop_lag_seconds')).toHaveLength(1);
  });
});
