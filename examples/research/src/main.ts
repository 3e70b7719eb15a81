import { readOptions } from './options.js';
import { Progress } from './progress.js';
import { research } from './research.js';

const progress = new Progress(process.stderr);
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)));
}

try {
  const outcome = await research(readOptions(process.argv.slice(2)), progress, stopped.signal);
  progress.end();
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
} catch (error) {
  progress.end();
  progress.say((error as Error).message);
  process.exitCode = 1;
}
