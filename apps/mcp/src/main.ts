import { serveStdio } from './serve-stdio.js';
import { readSettings } from './settings.js';

// Standard output belongs to the protocol: what is to be said is said on standard error.
try {
  const settings = await readSettings(process.argv.slice(2), process.env);
  const { closed } = await serveStdio(settings);
  await closed;
} catch (error) {
  process.stderr.write(`athena mcp: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
