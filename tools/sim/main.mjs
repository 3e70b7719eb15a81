// `npm run sim -- --seeds N [--from SEED]`: the services, agents and applications in memory, with
// messages and appends that are lost, doubled, late and out of order, and processes that crash and
// freeze at any step, all by seed. Exit status 1 where anything that is promised was violated.
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';

const usage = `Usage: npm run sim -- [options]

  --seeds N    how many runs (default 100)
  --from SEED  the first one's seed; the others follow (default: another every time)
  --verbose    a line for every seed
  --help       show this text`;
const SHOWN_MAX = 10;

const whole = (text) =>
  /^\d{1,9}$/.test(text) ? Number(text) : fail(`${text}: use a whole number`);

function fail(reason) {
  console.error(`sim: ${reason}\n\n${usage}`);
  process.exit(2);
}

function parsed() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string', default: '100' },
        from: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return fail(error.message);
  }
}

const { help, verbose, ...given } = parsed();
if (help) {
  console.log(usage);
  process.exit(0);
}
const [seeds, from] = [whole(given.seeds), whole(given.from)];
if (seeds === 0) fail('--seeds needs at least 1');

const { check, simulate } = await import('@athena/sdk-testing/simulation').catch(() => {
  console.error('sim: nothing is built yet; run `npm run build`');
  process.exit(2);
});
const stray = [];
process.on('unhandledRejection', (error) => stray.push(error));

/** What is wrong with one run, as lines. */
async function violationsOf(seed) {
  const run = await simulate(seed);
  const { commits, asked } = run;
  const hash = createHash('sha256').update(commits.map(({ hash }) => hash).join());
  const digest = hash.digest('hex').slice(0, 12);
  const told = `${commits.length} commits, ${asked.length} requests, log ${digest}`;
  const thrown = stray.splice(0).map((error) => `fault: ${error?.stack ?? error}`);
  const violations = check(run).map(({ invariant, detail }) => `${invariant}: ${detail}`);
  if (verbose) console.log(`sim: seed ${seed}: ${told}`);
  return [...violations, ...thrown];
}

let failed = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const violations = await violationsOf(seed);
  if (violations.length === 0) continue;
  failed++;
  console.log(`sim: seed ${seed} failed; replay with: npm run sim -- --seeds 1 --from ${seed}`);
  for (const line of violations.slice(0, SHOWN_MAX)) console.log(`  ${line}`);
}
console.log(`${seeds} seeds from ${from}: ${seeds - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
