import {
  agentEvents,
  bindAgent,
  countPerformance,
  deregisterAgent,
  drainAgent,
  endSession,
  beatAgent,
  learnCapability,
  registerAgent,
  resumeAgent,
} from '@athena/contracts';
import type { Command, DecideContext, Decider, Decision } from '@athena/event-log';
import { UNKNOWN_OPERATION, refuse, type Operation } from '@athena/operation';
import { count, learn } from './knowledge.js';
import { bind, register } from './registration.js';
import { evolve, initial, reindex, tables, type RegistryState } from './registry-state.js';
import { deregister, drain, end, heartbeat, resume } from './session.js';

type Decide = (state: RegistryState, command: Command, context: DecideContext) => Decision;

/** The operations that the owner of partition `agent.0` decides. */
export const decisions: readonly (readonly [Operation, Decide])[] = [
  [bindAgent, bind],
  [registerAgent, register],
  [beatAgent, heartbeat],
  [drainAgent, drain],
  [resumeAgent, resume],
  [deregisterAgent, deregister],
  [endSession, end],
  [learnCapability, learn],
  [countPerformance, count],
];

const byName = new Map(decisions.map(([operation, decide]) => [operation.name, decide]));

/**
 * The fleet: who may be which agent, what each can do, and which session of it is the present
 * one. Presence itself is volatile and judged elsewhere; here are its consequences.
 */
export const registry: Decider<RegistryState> = {
  version: 1,
  events: agentEvents,
  initial,
  decide(state, command, context) {
    const decide = byName.get(command.op);
    if (decide) return decide(state, command, context);
    return { refusal: refuse(UNKNOWN_OPERATION, `the registry does not know ${command.op}`) };
  },
  evolve,
  tables,
  reindex,
  nextDueAt: () => undefined,
  due: () => [],
};
