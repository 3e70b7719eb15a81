import {
  agentHealth,
  agentRecord,
  claimedTask,
  deregisterAgent,
  drainAgent,
  findAgents,
  fleetStatistics,
  getAgent,
  heartbeatAgent,
  learnCapability,
  limits,
  pollTasks,
  registerAgent,
  reportPerformance,
  resumeAgent,
} from '@athena/contracts';
import type { Life } from './life.scenario.js';
import { row } from './row.scenario.js';
import { NOT_YET } from './task-rows.scenario.js';

const NOBODY = 'nobody';
const NO_ID = 'no id';
const notFound = { AGENT_NOT_FOUND: () => ({ agentId: NOBODY }) };

/** A key that may only be agents can do nothing to an agent of another key. */
const neighbours = async (life: Life) => ({ agentId: await life.neighboursAgent() });
const takenForAgents = { AGENT_ID_TAKEN: { as: 'agent', given: neighbours } } as const;

export const agentRows = [
  row(registerAgent, {
    good: (life) => ({
      ...{ agentId: life.name('agent'), kind: 'worker', capabilities: ['add', 'carry'] },
      ...{ maxConcurrentTasks: 3, metadata: { aB: {}, c_d: 1 } },
    }),
    bad: { agentId: 'app', capabilities: [] },
    refused: {
      AGENT_ID_TAKEN: async (life) => ({
        agentId: await life.neighboursAgent(),
        capabilities: [],
      }),
    },
    mcp: { tool: 'register_agent', renames: { max_concurrent: 'maxConcurrentTasks' } },
  }),
  row(getAgent, {
    good: async (life) => ({ agentId: await life.agent('add') }),
    bad: { agentId: NO_ID },
    refused: notFound,
    mcp: { tool: 'get_agent_metrics', fields: Object.keys(agentRecord.shape) },
  }),
  row(findAgents, {
    good: async (life) => {
      const [one, other] = [life.name('skill'), life.name('skill')];
      for (const more of [[], [other], [other]]) await life.agent(one, ...more);
      return { requirements: [one, other], status: 'online' as const, limit: 1, minSeq: life.seq };
    },
    bad: { status: 'asleep' },
    refused: { NOT_CAUGHT_UP: () => ({ minSeq: NOT_YET }) },
    mcp: 'find_capable_agents',
  }),
  row(fleetStatistics, {
    whole: true,
    good: async (life) => {
      await life.agent(life.name('skill'));
      return { minSeq: life.seq };
    },
    bad: { minSeq: -1 },
    refused: { NOT_CAUGHT_UP: () => ({ minSeq: NOT_YET }) },
    mcp: { tool: 'get_agent_metrics', fields: [] },
  }),
  row(agentHealth, {
    good: async (life) => {
      const agentId = await life.agent();
      await life.assigned(agentId);
      await life.client.call(heartbeatAgent, { agentId, load: 0.123456, cpu: 0.5 });
      return { agentId };
    },
    bad: { agentId: NO_ID },
    refused: notFound,
    mcp: 'get_agent_health',
  }),
  row(heartbeatAgent, {
    good: async (life) => ({ agentId: await life.agent(), load: 0.5 }),
    bad: { agentId: NOBODY, load: -1 },
    refused: { ...notFound, AGENT_ID_TAKEN: neighbours },
  }),
  row(pollTasks, {
    good: async (life) => {
      const agentId = await life.agent();
      await life.assigned(agentId);
      return { agentId };
    },
    bad: { agentId: NOBODY, limit: 0 },
    refused: { ...notFound, AGENT_ID_TAKEN: neighbours },
    mcp: { tool: 'poll_tasks', fields: Object.keys(claimedTask.shape) },
  }),
  row(drainAgent, {
    good: async (life) => ({ agentId: await life.agent() }),
    bad: { agentId: NO_ID },
    refused: { ...notFound, ...takenForAgents },
  }),
  row(resumeAgent, {
    good: async (life) => {
      const agentId = await life.agent();
      await life.client.call(drainAgent, { agentId });
      return { agentId };
    },
    bad: { agentId: NO_ID },
    refused: { ...notFound, ...takenForAgents },
  }),
  row(deregisterAgent, {
    good: async (life) => ({ agentId: await life.agent() }),
    bad: { agentId: NO_ID },
    refused: { ...notFound, ...takenForAgents },
    mcp: 'deregister_agent',
  }),
  row(learnCapability, {
    good: async (life) => ({ agentId: await life.agent('add'), capability: 'carry' }),
    bad: { agentId: NOBODY, capability: 'carry', confidence: 2 },
    refused: {
      AGENT_NOT_FOUND: () => ({ agentId: NOBODY, capability: 'carry' }),
      TOO_MANY_CAPABILITIES: async (life) => {
        const many = Array.from({ length: limits.CAPABILITIES_MAX }, (_, n) => `skill ${n}`);
        return { agentId: await life.agent(...many), capability: 'one more' };
      },
    },
  }),
  row(reportPerformance, {
    good: async (life) => ({ agentId: await life.agent(), success: true, durationMs: 1.5 }),
    bad: { agentId: NOBODY, success: true, durationMs: -1 },
    refused: {
      AGENT_NOT_FOUND: () => ({ agentId: NOBODY, success: false, durationMs: 1 }),
    },
    mcp: 'update_agent_performance',
  }),
];
