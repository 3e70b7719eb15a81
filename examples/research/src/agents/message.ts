import { z } from 'zod';

/** What an agent's process is told, in its environment: the key is no argument that others see. */
export const AGENT_SETTING = 'RESEARCH_AGENT';

export const agentSetting = z.object({
  role: z.enum(['reader', 'merger', 'writer']),
  agentId: z.string(),
  natsUrl: z.string(),
  project: z.string(),
  apiKey: z.string(),
  run: z.string(),
  roots: z.array(z.object({ dir: z.string(), only: z.array(z.string()).exactOptional() })),
  reportPath: z.string(),
});
export type AgentSetting = z.output<typeof agentSetting>;

/** What an agent's process tells its parent. */
export type AgentMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'completed'; readonly taskId: string }
  | { readonly type: 'failed'; readonly taskId: string; readonly message: string };
