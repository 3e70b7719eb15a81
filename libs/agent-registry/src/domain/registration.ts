import {
  AGENT_ID_TAKEN,
  TOO_MANY_AGENTS,
  agentBound,
  agentDeregistered,
  agentRegistered,
  agentSessionEnded,
  capabilityLearned,
  limits,
  type bindAgent,
  type registerAgent,
} from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import { refuse, type Input, type NewEvent, type Refusal } from '@athena/operation';
import { credentialOf, isAgent, modeOf } from './authority.js';
import { happened, type AgentKey } from './happened.js';
import {
  commandKey,
  findAgent,
  findMember,
  learnedBy,
  nextSession,
  sizeOf,
  type Agent,
  type RegistryState,
} from './registry-state.js';

/** An id connects with a credential: the first one keeps it. Asked by the NATS auth callout. */
export function bind(state: RegistryState, command: Command): Decision {
  const { agentId, credential } = command.input as Input<typeof bindAgent>;
  const key = { project: command.project, agentId };
  const bound = findAgent(state, key)?.credential ?? null;
  if (bound !== null && bound !== credential) return { refusal: taken(agentId) };
  const refusal = noRoomForId(state, key);
  if (refusal) return { refusal };
  const events = bound === null ? [happened(agentBound, key, { credential })] : [];
  return { events, answer: () => ({ agentId }) };
}

/** Opens a session and ends the one before, also where nothing else changed. */
export function register(state: RegistryState, command: Command, context: DecideContext): Decision {
  const input = command.input as Input<typeof registerAgent>;
  const key = { project: command.project, agentId: input.agentId };
  const agent = findAgent(state, key);
  if (!isAgent(command.actor, input.agentId, agent?.credential ?? null)) {
    return { refusal: taken(input.agentId) };
  }
  const done = state.commands.find(commandKey(key, command.id), context.now);
  if (done?.session !== undefined) return accepted(input.agentId, done.session, []);
  const room = makeRoom(state, key, context.now);
  if ('refusal' in room) return room;
  const session = nextSession(state);
  return accepted(input.agentId, session, [
    ...room.events,
    ...binding(key, agent, command),
    ...replacement(state, key),
    incarnation(command, key, input, session),
    ...skillsOfKind(state, key, input),
  ]);
}

const accepted = (agentId: string, session: number, events: readonly NewEvent[]): Decision => ({
  events,
  answer: (seq) => ({
    agentId,
    registered: true,
    session,
    heartbeatMs: limits.AGENT_HEARTBEAT_MS,
    seq,
  }),
});

function binding(key: AgentKey, agent: Agent | undefined, command: Command): NewEvent[] {
  const credential = credentialOf(command.actor);
  if (credential === null || (agent?.credential ?? null) !== null) return [];
  return [happened(agentBound, key, { credential })];
}

function replacement(state: RegistryState, key: AgentKey): NewEvent[] {
  const member = findMember(state, key);
  if (member?.presence !== 'present') return [];
  return [happened(agentSessionEnded, key, { session: member.session, reason: 'replaced' })];
}

function incarnation(
  command: Command,
  key: AgentKey,
  input: Input<typeof registerAgent>,
  session: number,
): NewEvent {
  return happened(agentRegistered, key, {
    session,
    kind: kindOf(input),
    capabilities: [...new Set(input.capabilities)],
    maxConcurrentTasks: input.maxConcurrentTasks,
    mode: modeOf(command.actor),
    ...(input.metadata === undefined ? {} : { metadata: input.metadata }),
  });
}

/**
 * What agents of this kind have learned, this one has too. Said by events of its own, so that
 * every reader of the log can take a registration as it stands.
 */
function skillsOfKind(
  state: RegistryState,
  key: AgentKey,
  input: Input<typeof registerAgent>,
): NewEvent[] {
  const declared = new Set(input.capabilities);
  return learnedBy(state, key.project, kindOf(input))
    .filter(({ capability }) => !declared.has(capability))
    .slice(0, limits.CAPABILITIES_MAX - declared.size)
    .map((skill) => happened(capabilityLearned, key, { ...skill, provenance: 'manual' }));
}

const kindOf = ({ kind, agentId }: Input<typeof registerAgent>): string => kind ?? agentId;

/** Room for one more in the fleet, if need be in the place of one that is long gone. */
function makeRoom(
  state: RegistryState,
  key: AgentKey,
  now: number,
): { events: NewEvent[] } | { refusal: Refusal } {
  const refusal = noRoomForId(state, key);
  if (refusal) return { refusal };
  const full = sizeOf(state, key.project).fleet >= limits.AGENTS_PER_PROJECT_MAX;
  if (!full || findMember(state, key)) return { events: [] };
  const gone = longestAway(state, key.project);
  const registration = gone?.registration;
  if (!gone || !registration || now - registration.since < limits.AWAY_REPLACEABLE_MS) {
    const detail = `project ${key.project} may have ${limits.AGENTS_PER_PROJECT_MAX} agents, and has them`;
    return { refusal: refuse(TOO_MANY_AGENTS, detail) };
  }
  return { events: [happened(agentDeregistered, gone, { session: registration.session })] };
}

function longestAway(state: RegistryState, project: string): Agent | undefined {
  let longest: Agent | undefined;
  for (const agent of state.agents.values()) {
    if (agent.project !== project || agent.registration?.presence !== 'away') continue;
    if (!longest || isAwayLonger(agent, longest)) longest = agent;
  }
  return longest;
}

/** Of two that went at one instant, the one whose id is first: the order of rows means nothing. */
function isAwayLonger(one: Agent, other: Agent): boolean {
  const [since, than] = [one.registration?.since ?? 0, other.registration?.since ?? 0];
  return since === than ? one.agentId < other.agentId : since < than;
}

function noRoomForId(state: RegistryState, key: AgentKey): Refusal | undefined {
  if (findAgent(state, key) || sizeOf(state, key.project).ids < limits.AGENT_IDS_PER_PROJECT_MAX) {
    return undefined;
  }
  const detail =
    `project ${key.project} has used ${limits.AGENT_IDS_PER_PROJECT_MAX} agent ids, ` +
    'the most it may; use ids again instead of making new ones';
  return refuse(TOO_MANY_AGENTS, detail);
}

export const taken = (agentId: string): Refusal =>
  refuse(AGENT_ID_TAKEN, `agent ${agentId} belongs to another credential`, 'agentId');
