import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Recruit } from '../crew.js';
import { AGENT_SETTING, type AgentMessage, type AgentSetting } from './message.js';

const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));

/** An agent written with the SDK, in a Node process of its own. */
export const nodeAgent = (setting: AgentSetting): Recruit => ({
  name: setting.agentId,
  start: (tell) => {
    const child = fork(PROGRAM, [], {
      env: { ...process.env, [AGENT_SETTING]: JSON.stringify(setting) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return child.on('message', (message) => tell(message as AgentMessage));
  },
});
