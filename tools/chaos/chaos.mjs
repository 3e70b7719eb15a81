import { AthenaClient } from '@athena/sdk';
import { Recount } from './checks.mjs';
import { Load } from './load-process.mjs';
import { round } from './round.mjs';
import { SeparateStack } from './stack.mjs';

/**
 * Runs faults one after the other on a stack of their own. Resolves with the rounds.
 * @param {{ faults: readonly import('./faults.mjs').Fault[], agents: number, tasks: number,
 *   loadMs: number, report: (line: string) => void }} options
 */
export async function runFaults({ faults, agents, tasks, loadMs, report }) {
  const stack = await SeparateStack.start();
  const load = new Load();
  try {
    const connection = await stack.connection();
    const { gatewayUrl: url, apiKey } = connection;
    const client = await AthenaClient.connect({ url, apiKey });
    await load.ask('begin', { connection, agents });
    const recount = new Recount(client);
    const rounds = [];
    for (const [number, fault] of faults.entries()) {
      const done = await round({ stack, load, client, recount, fault, number, tasks, loadMs });
      rounds.push(done);
      report(told(done, number, faults.length));
    }
    await load.ask('end');
    await client.close();
    return rounds;
  } finally {
    load.kill();
    await stack.stop();
  }
}

function told({ fault, takeOverMs, doneMs, findings }, number, count) {
  const times = Object.entries(takeOverMs).map(([what, ms]) => `${what} ${ms} ms`);
  const line = [...times, `all done ${doneMs} ms`].join(', ');
  const outcome = findings.length === 0 ? 'ok' : 'FAILED';
  return [`${number + 1}/${count} ${fault}: ${outcome} (${line})`, ...findings].join('\n  ');
}

/** p50, p99 and max of the take-overs by what was measured. */
export function summarise(rounds) {
  const all = new Map();
  for (const { takeOverMs } of rounds) {
    for (const [what, ms] of Object.entries(takeOverMs)) {
      all.set(
        what,
        [...(all.get(what) ?? []), ms].sort((a, b) => a - b),
      );
    }
  }
  return [...all].map(([takeOver, ms]) => ({
    takeOver,
    times: ms.length,
    p50Ms: percentile(ms, 50),
    p99Ms: percentile(ms, 99),
    maxMs: ms.at(-1),
  }));
}

const percentile = (sorted, p) => sorted[Math.ceil((p / 100) * sorted.length) - 1];
