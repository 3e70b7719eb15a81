import {
  AGENT_NOT_FOUND,
  agentDeregistered,
  agentDraining,
  agentResumed,
  agentReturned,
  agentSessionEnded,
  limits,
  type deregisterAgent,
  type drainAgent,
  type endSession,
  type resumeAgent,
  type beatAgent,
} from '@athena/contracts';
import type { Command, Decision } from '@athena/event-log';
import { refuse, type Input, type NewEvent, type Refusal } from '@athena/operation';
import { isAgent, isOperator } from './authority.js';
import { happened, type AgentKey } from './happened.js';
import { taken } from './registration.js';
import { findAgent, findMember, nextSession, type RegistryState } from './registry-state.js';

/** The agent is there. Only its coming back after an absence is worth an event. */
export function heartbeat(state: RegistryState, command: Command): Decision {
  const key = agentNamed(command, command.input as Input<typeof beatAgent>);
  const member = findMember(state, key);
  if (!member) return { refusal: notFound(state, key) };
  if (!isOwn(state, key, command)) return { refusal: taken(key.agentId) };
  const session = member.presence === 'present' ? member.session : nextSession(state);
  const events = session === member.session ? [] : [happened(agentReturned, key, { session })];
  const answer = { agentId: key.agentId, session, heartbeatMs: limits.AGENT_HEARTBEAT_MS };
  return { events, answer: () => answer };
}

/** Nothing new for the agent, until it is resumed or registers anew. */
export function drain(state: RegistryState, command: Command): Decision {
  const key = agentNamed(command, command.input as Input<typeof drainAgent>);
  const member = findMember(state, key);
  if (!member) return { refusal: notFound(state, key) };
  if (!mayOperate(state, key, command)) return { refusal: taken(key.agentId) };
  const { session, draining, presence } = member;
  const status = presence === 'present' ? 'draining' : 'offline';
  return {
    events: draining ? [] : [happened(agentDraining, key, { session })],
    answer: () => ({ agentId: key.agentId, status }),
  };
}

/** The end of a drain. */
export function resume(state: RegistryState, command: Command): Decision {
  const key = agentNamed(command, command.input as Input<typeof resumeAgent>);
  const member = findMember(state, key);
  if (!member) return { refusal: notFound(state, key) };
  if (!mayOperate(state, key, command)) return { refusal: taken(key.agentId) };
  const { session, draining, presence } = member;
  const status = presence === 'present' ? 'online' : 'offline';
  return {
    events: draining ? [happened(agentResumed, key, { session })] : [],
    answer: () => ({ agentId: key.agentId, status }),
  };
}

/** The agent leaves the fleet. Its id stays with its credential. */
export function deregister(state: RegistryState, command: Command): Decision {
  const key = agentNamed(command, command.input as Input<typeof deregisterAgent>);
  const registration = findAgent(state, key)?.registration;
  if (!registration) return { refusal: notFound(state, key) };
  if (!mayOperate(state, key, command)) return { refusal: taken(key.agentId) };
  const { session, presence } = registration;
  const events: NewEvent[] = [];
  if (presence === 'present') {
    events.push(happened(agentSessionEnded, key, { session, reason: 'deregistered' }));
  }
  if (presence !== 'left') events.push(happened(agentDeregistered, key, { session }));
  return { events, answer: () => ({ agentId: key.agentId, deregistered: true }) };
}

/** A session is judged to be over; one that is not the present one is over already. */
export function end(state: RegistryState, command: Command): Decision {
  const input = command.input as Input<typeof endSession>;
  const key = agentNamed(command, input);
  const registration = findAgent(state, key)?.registration;
  if (!registration || input.session > registration.session) {
    return { events: [], answer: () => ({ ended: false }) };
  }
  const { session, reason } = input;
  const open = registration.presence === 'present' && registration.session === session;
  const events = open ? [happened(agentSessionEnded, key, { session, reason })] : [];
  return { events, answer: () => ({ ended: true }) };
}

export const agentNamed = ({ project }: Command, { agentId }: { agentId: string }): AgentKey => ({
  project,
  agentId,
});

/** Says what is wrong with the id: it left, it only connected, or nobody knows it. */
export function notFound(state: RegistryState, { project, agentId }: AgentKey): Refusal {
  const agent = findAgent(state, { project, agentId });
  const how = agent?.registration
    ? 'has deregistered; let it register again'
    : agent
      ? 'has connected but not registered yet'
      : `is not known in project ${project}`;
  return refuse(AGENT_NOT_FOUND, `agent ${agentId} ${how}`, 'agentId');
}

/** Whether the command comes from the agent itself. */
export const isOwn = (state: RegistryState, key: AgentKey, { actor }: Command): boolean =>
  isAgent(actor, key.agentId, findAgent(state, key)?.credential ?? null);

const mayOperate = (state: RegistryState, key: AgentKey, command: Command): boolean =>
  isOperator(command.actor) || isOwn(state, key, command);
