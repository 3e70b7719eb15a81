// `npm run chaos -- --faults N [--seed S]`: kills, restarts and stops the processes of a stack of
// its own under load, and recounts after each fault what the log, the read models and the callers
// say. Exit status 1 where anything is wrong.
import { parseArgs } from 'node:util';
import { runFaults, summarise } from './chaos.mjs';
import { MATRIX, choose } from './faults.mjs';

const usage = `Usage: npm run chaos -- [options]

  --faults N        how many; more than the ${MATRIX.length} of the matrix go through it again
                    (default ${MATRIX.length})
  --seed S          their order (default: another every time, told at the end)
  --tasks N         created and done during each fault (default 1000)
  --agents N        (default 50)
  --load-ms N       over which the tasks of a fault are created (default 6000)
  --take-over-ms N  what a take-over with a standby may take (default 2000)
  --help            show this text`;

const number = (fallback) => ({ type: 'string', default: String(fallback) });

function parsed() {
  try {
    return parseArgs({
      options: {
        faults: number(MATRIX.length),
        seed: number(Math.floor(Math.random() * 1e6)),
        tasks: number(1_000),
        agents: number(50),
        'load-ms': number(6_000),
        'take-over-ms': number(2_000),
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(error.message);
  }
}

function fail(reason) {
  console.error(`chaos: ${reason}\n\n${usage}`);
  process.exit(2);
}

const { help, ...given } = parsed();
if (help) {
  console.log(usage);
  process.exit(0);
}
const settings = Object.fromEntries(
  Object.entries(given).map(([name, value]) => [name, Number(value)]),
);
for (const [name, value] of Object.entries(settings)) {
  if (!Number.isSafeInteger(value) || value < (name === 'seed' ? 0 : 1)) {
    fail(`--${name} needs a whole number`);
  }
}

const { seed, agents, tasks } = settings;
const rounds = await runFaults({
  faults: choose(settings.faults, seed),
  ...{ agents, tasks, loadMs: settings['load-ms'] },
  report: (line) => console.log(`chaos: ${line}`),
});
const times = summarise(rounds);
console.table(times);
const slow = times.filter(({ maxMs }) => maxMs > settings['take-over-ms']);
for (const { takeOver, maxMs } of slow)
  console.log(`chaos: ${takeOver} took ${maxMs} ms: too long`);
const failed = rounds.filter(({ findings }) => findings.length > 0).length;
console.log(
  `chaos: ${rounds.length} faults from seed ${seed}: ` +
    `${rounds.length - failed} passed, ${failed} failed`,
);
process.exitCode = failed > 0 || slow.length > 0 ? 1 : 0;
