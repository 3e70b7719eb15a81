import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { AthenaClient, type Connection, readConnectionFile } from '@athena/sdk';
import type { AgentMessage, AgentSetting } from './agents/message.js';
import { nodeAgent } from './agents/node-agent.js';
import type { RoleName } from './agents/roles.js';
import { shellAgent } from './agents/shell-agent.js';
import type { Root } from './corpus/documents.js';
import { survey } from './corpus/survey.js';
import { Crew, type Recruit } from './crew.js';
import { CALL_OFF_MS_MAX, RUN_MS_MAX } from './limits.js';
import type { Options } from './options.js';
import { submitResearch } from './plan.js';
import type { Progress } from './progress.js';

const EXAMPLE_DIR = fileURLToPath(new URL('..', import.meta.url));
const REPOSITORY_DIR = fileURLToPath(new URL('../../..', import.meta.url));
const CREW: readonly RoleName[] = ['reader', 'reader', 'merger', 'writer'];
const CANCELS_AT_A_TIME = 50;

export interface Outcome {
  readonly report: string;
  readonly tasks: number;
  readonly agents: number;
  readonly ms: number;
}

/** The example's own documents, and what the repository has to say about itself. */
const ownRoots = (): Root[] => [
  { dir: EXAMPLE_DIR, only: ['corpus'] },
  { dir: REPOSITORY_DIR, only: ['README.md', 'docs'] },
];

/** Runs the whole research. @throws Error with the reason why it could not be done */
export async function research(
  options: Options,
  progress: Progress,
  stop: AbortSignal,
): Promise<Outcome> {
  const begunAt = performance.now();
  const roots: Root[] = options.inputDir ? [{ dir: options.inputDir }] : ownRoots();
  const found = await survey(roots);
  progress.say(
    `${found.documents.length} documents to read, ${found.skipped.length} files skipped`,
  );
  const connection = await readConnectionFile(options.connectionPath);
  const { gatewayUrl: url, apiKey } = connection;
  const client = await AthenaClient.connect({ url, apiKey });
  const run = `research-${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`;
  const key = await client.keys.create({ name: run, scopes: ['agent', 'tasks:read'] });
  const failed = new AbortController();
  const signal = AbortSignal.any([stop, failed.signal, AbortSignal.timeout(RUN_MS_MAX)]);
  const crew = new Crew({
    onMessage: (message) => heard(message),
    onDeath: (agentId, how, again) => {
      progress.say(`agent ${agentId} died with ${how}${again ? '; starting it again' : ''}`);
      if (!again) failed.abort(new Error(`agent ${agentId} keeps dying (${how})`));
    },
  });
  const submitted: string[] = [];
  const heard = (message: AgentMessage): void => {
    if (message.type === 'completed') progress.finished(message.taskId);
    if (message.type === 'failed') void check(message.taskId, message.message);
  };
  const check = async (taskId: string, said: string): Promise<void> => {
    if (!submitted.includes(taskId)) return;
    const task = await client.tasks.get({ taskId }).catch(() => undefined);
    if (task?.status !== 'failed') return progress.say(`an attempt failed: ${said}`);
    failed.abort(new Error(`task ${taskId} (${task.taskType}) failed: ${said}`));
  };
  try {
    await crew.start(recruits({ connection, run, roots, options, key }));
    const plan = await submitResearch(client, found, {
      run,
      roots,
      signal,
      onSubmitted: (taskIds) => submitted.push(...taskIds),
    });
    progress.expect(plan.tasks);
    const result = await plan.report.result({ signal });
    for (const taskId of plan.tasks.keys()) progress.finished(taskId);
    const ms = Math.round(performance.now() - begunAt);
    return { report: result.path, tasks: plan.tasks.size, agents: crew.size, ms };
  } catch (error) {
    await Promise.all([callOff(client, submitted), crew.stop()]);
    throw signal.aborted ? signal.reason : error;
  } finally {
    await crew.stop();
    await client.keys.revoke({ keyId: key.keyId }).catch(() => {});
    await client.close();
  }
}

interface Ground {
  readonly connection: Connection;
  readonly run: string;
  readonly roots: readonly Root[];
  readonly options: Options;
  readonly key: { readonly apiKey: string };
}

const recruits = (ground: Ground): Recruit[] => [
  ...CREW.map((role, i) => nodeAgent(setting(role, i, ground))),
  shellAgent({
    name: `${ground.run}-measurer-${CREW.length + 1}`,
    connection: ground.connection,
    apiKey: ground.key.apiKey,
    folders: ground.roots.map(({ dir }) => dir),
  }),
];

function setting(role: RoleName, number: number, ground: Ground): AgentSetting {
  const { natsUrl, project } = ground.connection;
  return {
    role,
    agentId: `${ground.run}-${role}-${number + 1}`,
    natsUrl,
    project,
    apiKey: ground.key.apiKey,
    run: ground.run,
    roots: ground.roots.map(({ dir, only }) => (only ? { dir, only: [...only] } : { dir })),
    reportPath: ground.options.reportPath,
  };
}

/** Leaves no task behind that nobody will do. Finished ones refuse, which is fine. */
async function callOff(client: AthenaClient, taskIds: readonly string[]): Promise<void> {
  const reason = 'the research was given up';
  const options = { signal: AbortSignal.timeout(CALL_OFF_MS_MAX) };
  for (let i = taskIds.length; i > 0; i -= CANCELS_AT_A_TIME) {
    const some = taskIds.slice(Math.max(0, i - CANCELS_AT_A_TIME), i);
    await Promise.allSettled(
      some.map((taskId) => client.tasks.cancel({ taskId, reason }, options)),
    );
    if (options.signal.aborted) return;
  }
}
