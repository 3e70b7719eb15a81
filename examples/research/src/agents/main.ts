import { Agent, AthenaClient, type AgentNotice } from '@athena/sdk';
import { AGENT_STOP_MS_MAX } from '../limits.js';
import { AGENT_SETTING, type AgentMessage, type AgentSetting, agentSetting } from './message.js';
import { roles } from './roles.js';

const tell = (message: AgentMessage): void => void process.send?.(message);

/** One agent of the research, in a process of its own, until its parent is done with it. */
async function work(setting: AgentSetting): Promise<void> {
  const { natsUrl, project, apiKey, agentId, role } = setting;
  const { capabilities, handle } = roles[role];
  const client = await AthenaClient.connectNats({ natsUrl, project, apiKey, name: agentId });
  const agent = new Agent({
    natsUrl,
    project,
    apiKey,
    agentId,
    kind: `research-${role}`,
    capabilities,
    drainTimeoutMs: AGENT_STOP_MS_MAX / 2,
    onNotice: passOn,
  });
  handle(agent, client, setting);
  const stop = async (): Promise<void> => {
    await agent.stop({ deregister: true });
    await client.close();
    process.exit(0);
  };
  // Ctrl-C reaches the whole group of processes; the parent decides what it means.
  process.on('SIGINT', () => {});
  process.once('SIGTERM', () => void stop());
  process.once('disconnect', () => void stop());
  await agent.start();
  tell({ type: 'ready' });
}

function passOn(notice: AgentNotice): void {
  const { type } = notice;
  if (type === 'completed') tell({ type, taskId: notice.taskId });
  if (type === 'failed') tell({ type, taskId: notice.taskId, message: notice.message });
}

try {
  await work(agentSetting.parse(JSON.parse(process.env[AGENT_SETTING] ?? 'null')));
} catch (error) {
  console.error(`agent: ${(error as Error).message}`);
  process.exit(1);
}
