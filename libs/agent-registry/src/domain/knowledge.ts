import {
  TOO_MANY_CAPABILITIES,
  capabilityLearned,
  limits,
  performanceReported,
  type countPerformance,
  type learnCapability,
} from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import { refuse, type Input, type NewEvent } from '@athena/operation';
import { happened, type AgentKey } from './happened.js';
import {
  capabilitiesOf,
  commandKey,
  findMember,
  reportKey,
  type LearnedCapability,
  type Registration,
  type RegistryState,
} from './registry-state.js';
import { agentNamed, notFound } from './session.js';

/** What one agent learns, all of its kind have learned; so it is said of each of them. */
export function learn(state: RegistryState, command: Command): Decision {
  const { agentId, ...skill } = command.input as Input<typeof learnCapability>;
  const key = { project: command.project, agentId };
  const member = findMember(state, key);
  if (!member) return { refusal: notFound(state, key) };
  if (isFull(member, skill)) {
    const detail = `agent ${agentId} has ${limits.CAPABILITIES_MAX} capabilities`;
    return { refusal: refuse(TOO_MANY_CAPABILITIES, detail) };
  }
  const events: NewEvent[] = [];
  for (const [sibling, registration] of ofKind(state, key.project, member.kind)) {
    if (knows(registration, skill) || isFull(registration, skill)) continue;
    events.push(happened(capabilityLearned, sibling, { ...skill, provenance: 'manual' }));
  }
  const capabilities = [...new Set([...capabilitiesOf(member), skill.capability])];
  return { events, answer: () => ({ agentId, capabilities }) };
}

/** Counts work done outside Athena, once per command and once per report. */
export function count(state: RegistryState, command: Command, { now }: DecideContext): Decision {
  const { agentId, ...report } = command.input as Input<typeof countPerformance>;
  const key = agentNamed(command, { agentId });
  const counted: Decision = { events: [], answer: () => ({ counted: true }) };
  if (state.commands.find(commandKey(key, command.id), now)) return counted;
  const { reportId } = report;
  if (reportId !== undefined && state.commands.find(reportKey(key, reportId), now)) return counted;
  const member = findMember(state, key);
  if (!member) return { refusal: notFound(state, key) };
  const event = happened(performanceReported, key, { kind: member.kind, ...report });
  return { ...counted, events: [event] };
}

/** Already so: declared, which is certain, or learned with at least this confidence. */
function knows({ declared, learned }: Registration, skill: LearnedCapability): boolean {
  if (declared.includes(skill.capability)) return true;
  const known = learned.find(({ capability }) => capability === skill.capability);
  return known !== undefined && known.confidence >= skill.confidence;
}

function isFull(registration: Registration, { capability }: LearnedCapability): boolean {
  const capabilities = capabilitiesOf(registration);
  return capabilities.length >= limits.CAPABILITIES_MAX && !capabilities.includes(capability);
}

/** By id: the order must not tell how the state came about, by the log or from its rows. */
function ofKind(
  state: RegistryState,
  project: string,
  kind: string,
): readonly (readonly [AgentKey, Registration])[] {
  return [...state.agents.values()]
    .filter((agent) => agent.project === project && agent.registration?.kind === kind)
    .sort((one, other) => (one.agentId < other.agentId ? -1 : 1))
    .flatMap((agent) => {
      const member = findMember(state, agent);
      return member ? [[agent, member] as const] : [];
    });
}
