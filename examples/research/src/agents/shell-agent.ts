import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Connection } from '@athena/sdk';
import type { Recruit } from '../crew.js';
import { AGENT_STOP_MS_MAX } from '../limits.js';
import { measure } from '../tasks.js';
import type { AgentMessage } from './message.js';

const ATHENA = fileURLToPath(new URL('../../../../apps/cli/bin/athena.mjs', import.meta.url));
const SCRIPT = fileURLToPath(new URL('../../shell/measure.sh', import.meta.url));
const AT_A_TIME = 4;

export interface ShellSetting {
  readonly name: string;
  readonly connection: Connection;
  readonly apiKey: string;
  /** The only ones that it may read. */
  readonly folders: readonly string[];
}

/** An agent made of a shell script by `athena agent exec`: it measures files. */
export const shellAgent = ({ name, connection, apiKey, folders }: ShellSetting): Recruit => ({
  name,
  start: (tell) => {
    const options = {
      capability: measure.requirements.join(),
      'task-type': measure.name,
      stdin: 'file',
      kind: 'research-measurer',
      concurrency: AT_A_TIME,
      'drain-timeout': `${AGENT_STOP_MS_MAX / 2}ms`,
      project: connection.project,
    };
    const flags = Object.entries(options).map(([option, value]) => `--${option}=${value}`);
    const command = ['sh', SCRIPT, ...folders];
    const child = spawn(
      process.execPath,
      [ATHENA, 'agent', 'exec', '--json', ...flags, '--', ...command],
      {
        // The key is no argument that others see.
        env: {
          ...process.env,
          ATHENA_URL: connection.gatewayUrl,
          ATHENA_API_KEY: apiKey,
          NATS_URL: connection.natsUrl,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
        // Ctrl-C reaches the whole group of processes; we decide what it means.
        detached: true,
      },
    );
    createInterface({ input: child.stdout }).on('line', (line) => {
      const notice = JSON.parse(line) as { readonly type: string };
      if (notice.type === 'registered') tell({ type: 'ready' });
      if (TOLD.has(notice.type)) tell(notice as AgentMessage);
    });
    endWithUs(child);
    return child;
  },
});

/** Of the notices of `athena agent exec --json`, those that have the shape of a message. */
const TOLD: ReadonlySet<string> = new Set<AgentMessage['type']>(['completed', 'failed']);

/** Should we die in any way, a shell reads the end of a pipe that only we hold, and tells it. */
function endWithUs(child: ChildProcess): void {
  const script = 'while read -r line; do :; done; kill "$1"';
  const watchdog = spawn('sh', ['-c', script, 'watchdog', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.on('error', () => {}); // Without it we are only less tidy after a kill -9.
  child.once('exit', () => watchdog.kill('SIGKILL'));
}
