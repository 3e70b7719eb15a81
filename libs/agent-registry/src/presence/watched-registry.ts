import { beatAgent, registerAgent, type AgentEvent } from '@athena/contracts';
import {
  CLOCKS_RESTARTED,
  PARTITION_OPENED,
  type Clock,
  type Command,
  type Decider,
  type Decision,
} from '@athena/event-log';
import type { Input } from '@athena/operation';
import { happenedTo } from '../domain/happened.js';
import type { PresenceBook } from '../domain/presence.js';
import { registry } from '../domain/registry.js';
import { findAgent, findMember, keyOf, type RegistryState } from '../domain/registry-state.js';
import { agentNamed, notFound } from '../domain/session.js';
import { lateAgents, lookUpAgent } from '../operations/owner-queries.js';
import { liveAgent } from './live-agent.js';

/**
 * The registry together with the presence book that belongs to it: what it decides and folds is
 * noted in the book, and questions about the living are answered from both. The book never
 * changes a decision.
 */
export function watchedRegistry(book: PresenceBook, clock: Clock): Decider<RegistryState> {
  return {
    ...registry,
    decide(state, command, context) {
      if (command.op === lookUpAgent.name) return lookUp(state, command, book, clock.now());
      if (command.op === lateAgents.name) return late(state, command, book, clock.now());
      const decision = registry.decide(state, command, context);
      if (!('refusal' in decision)) noteContact(command, book, clock.now());
      return decision;
    },
    evolve(state, event, context) {
      registry.evolve(state, event, context);
      noteEvent(event as unknown as AgentEvent, book, clock.now());
    },
  };
}

function noteContact(command: Command, book: PresenceBook, now: number): void {
  if (command.op === registerAgent.name) {
    book.contact(keyOf(agentNamed(command, command.input as { agentId: string })), now);
  }
  if (command.op === beatAgent.name) {
    const { agentId, ...report } = command.input as Input<typeof beatAgent>;
    const told = Object.keys(report).length > 0;
    book.contact(keyOf(agentNamed(command, { agentId })), now, told ? report : undefined);
  }
}

function noteEvent(event: AgentEvent, book: PresenceBook, now: number): void {
  const type: string = event.type;
  if (type === PARTITION_OPENED) book.open(now);
  if (type === CLOCKS_RESTARTED) book.restart(now);
  const key = keyOf(happenedTo(event));
  if (event.type === 'AgentRegistered' || event.type === 'AgentReturned') book.begin(key, now);
  if (event.type === 'AgentDeregistered') book.forget(key);
}

function lookUp(state: RegistryState, command: Command, book: PresenceBook, now: number): Decision {
  const key = agentNamed(command, command.input as Input<typeof lookUpAgent>);
  const agent = findAgent(state, key);
  const member = findMember(state, key);
  if (!agent || !member) return { refusal: notFound(state, key) };
  const answer = liveAgent(agent, member, book, now);
  return { events: [], answer: () => answer };
}

function late(state: RegistryState, command: Command, book: PresenceBook, now: number): Decision {
  const agentIds: string[] = [];
  for (const agent of state.agents.values()) {
    if (agent.project !== command.project) continue;
    const { registration } = agent;
    if (registration?.presence !== 'present' || registration.draining) continue;
    if (book.standing(keyOf(agent), now) !== 'fresh') agentIds.push(agent.agentId);
  }
  return { events: [], answer: () => ({ agentIds }) };
}
