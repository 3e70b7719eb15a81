import { AGENT_NOT_FOUND, claimTasks } from '@athena/contracts';
import { Refused } from '@athena/operation';
import type { AgentVerb, Contacts } from '@athena/service-kit';
import type { Router } from './router.js';

/**
 * The verb by which agents ask for work. Every router hears every claim; a standby keeps it in
 * case it takes over, and answers nothing meanwhile.
 */
export const claimVerb = (router: Router, contacts: Contacts): AgentVerb<typeof claimTasks> => ({
  operation: claimTasks,
  async handle(input, agent) {
    const routing = await router.loaded;
    if (!routing) return null;
    const known = routing.state.fleet.get(agent.project, agent.agentId);
    // The claim may be the sign of life that brings the agent back: no time is to be lost.
    if (known && !known.present) contacts.publish();
    try {
      const answer = await routing.claim(input, agent);
      if (!answer) return null;
      const { tasks, cancelled } = answer;
      return { output: { tasks: [...tasks], cancelled: [...cancelled] }, seq: routing.state.seq };
    } catch (error) {
      if (!routing.active && isNotFound(error)) return null;
      throw error;
    }
  },
});

const isNotFound = (error: unknown): boolean =>
  error instanceof Refused && error.refusal.code === AGENT_NOT_FOUND.code;
