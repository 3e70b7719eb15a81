import { EXIT_INTERRUPTED } from './command/command.js';
import { run } from './run.js';
import { processWorld } from './world.js';

const status = await run(process.argv.slice(2), processWorld(process));
// Otherwise the process ends by itself, when all that it wrote has been taken.
if (status === EXIT_INTERRUPTED) process.exit(status);
process.exitCode = status;
