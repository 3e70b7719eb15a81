import { Agent, type Logger, type TaskContext } from '@athena/sdk';
import type { Chance } from './chance.js';
import { PROJECT } from './clients.js';
import type { SimProcess } from './sim-process.js';

/** Work that an agent did to its end, in its own book. */
export interface Execution {
  readonly execution: number;
  readonly taskId: string;
  readonly agentId: string;
  readonly attempt: number;
}

export interface WorkerSettings {
  readonly agentId: string;
  readonly kind: string;
  readonly capabilities: readonly string[];
  readonly concurrency: number;
  readonly start: 'confirmed' | 'implied';
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const WORK_MS_MAX = 2_000;
const STALLED_MS = 60_000;
const FAILS = 0.15;
const STALLS = 0.05;
const AGAIN_MS = 1_000;

/** Runs an agent of the SDK in the process; what it works is left to chance. */
export function work(
  process: SimProcess,
  settings: WorkerSettings,
  chance: Chance,
  ledger: Execution[],
): void {
  const place = { natsUrl: 'memory:', project: PROJECT, apiKey: 'ak_simulation', log: silent };
  const agent = new Agent({ ...settings, ...place }, process.surroundings);
  const handle = async (_content: unknown, { taskId, attempt, signal }: TaskContext) => {
    const ms = chance.happens(STALLS) ? STALLED_MS : chance.between(0, WORK_MS_MAX);
    await pause(process, ms, signal);
    if (chance.happens(FAILS)) throw new Error('the work failed');
    const execution = ledger.length + 1;
    ledger.push({ execution, taskId, agentId: settings.agentId, attempt });
    return { execution };
  };
  agent.handle('*', handle);
  const again = (): void =>
    void process.after(AGAIN_MS, () => work(process, settings, chance, ledger));
  agent.start().catch(again);
}

const pause = (process: SimProcess, ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    process.after(ms, resolve);
  });
