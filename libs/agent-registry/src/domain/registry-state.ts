import { limits, type AgentEvent, type AgentMode } from '@athena/contracts';
import { Table, type EventContext, type LoggedEvent } from '@athena/event-log';
import { CommandWindow } from './command-window.js';
import type { AgentKey } from './happened.js';

export interface LearnedCapability {
  readonly capability: string;
  /** 0–1. */
  readonly confidence: number;
}

/** What an agent said of itself when it registered, and how it stands since. */
export interface Registration {
  readonly kind: string;
  readonly declared: readonly string[];
  readonly maxConcurrentTasks: number;
  readonly mode: AgentMode;
  readonly metadata: Record<string, unknown> | null;
  /** Milliseconds. */
  readonly registeredAt: number;
  readonly learned: readonly LearnedCapability[];
  /** The latest session; open while the agent is present. */
  readonly session: number;
  /** away: the session ended by silence or a closed connection. left: deregistered. */
  readonly presence: 'present' | 'away' | 'left';
  /** When `presence` last changed, milliseconds. */
  readonly since: number;
  readonly draining: boolean;
}

export interface Agent extends AgentKey {
  /** The credential that the id belongs to; null until one showed up. */
  readonly credential: string | null;
  /** null: the id has only connected so far. */
  readonly registration: Registration | null;
}

/** What all agents of a kind know. */
interface Kind {
  readonly learned: readonly LearnedCapability[];
}

interface Size {
  ids: number;
  fleet: number;
}

/** State of partition `agent.0`. Rows are replaced, never edited in place. */
export interface RegistryState {
  readonly agents: Table<Agent>;
  readonly kinds: Table<Kind>;
  /** One row, keyed LATEST: the highest session number given so far. */
  readonly sessions: Table<number>;
  readonly commands: CommandWindow;
  /** Derived: how many ids each project has taken, and how many of them are in the fleet. */
  readonly sizes: Map<string, Size>;
}

const LATEST = 'latest';
/** Ids hold no slash, so the parts can't run into each other. */
export const keyOf = ({ project, agentId }: AgentKey): string => `${project}/${agentId}`;
const kindKey = (project: string, kind: string): string => `${project}/${kind}`;

export const initial = (): RegistryState => ({
  agents: new Table('agents'),
  kinds: new Table('kinds'),
  sessions: new Table('sessions'),
  commands: new CommandWindow(),
  sizes: new Map(),
});

export const tables = (state: RegistryState): readonly Table<unknown>[] =>
  [state.agents, state.kinds, state.sessions, state.commands.table] as Table<unknown>[];

export function reindex(state: RegistryState): void {
  state.commands.reindex();
  state.sizes.clear();
  for (const agent of state.agents.values()) resize(state, undefined, agent);
}

export function evolve(state: RegistryState, logged: LoggedEvent, { at }: EventContext): void {
  const event = logged as unknown as AgentEvent;
  const agent = { project: event.project, agentId: event.id };
  switch (event.type) {
    case 'AgentBound':
      return put(state, { ...known(state, agent), credential: event.data.credential });
    case 'AgentRegistered':
      return registered(state, agent, event.data, at, logged.command);
    case 'AgentReturned':
      opened(state, event.data.session);
      return change(state, agent, { session: event.data.session, presence: 'present', since: at });
    case 'AgentSessionEnded':
      return change(state, agent, { presence: 'away', since: at });
    case 'AgentDraining':
      return change(state, agent, { draining: true });
    case 'AgentResumed':
      return change(state, agent, { draining: false });
    case 'AgentDeregistered':
      return change(state, agent, { presence: 'left', since: at });
    case 'CapabilityLearned':
      return learned(state, agent, event.data);
    case 'PerformanceReported':
      return counted(state, agent, at, logged.command, event.data.reportId);
    default:
      // Events of the log itself (openings, restarted clocks) leave the registry as it is.
      return event satisfies never;
  }
}

/* Reading the state. */

export const findAgent = (state: RegistryState, agent: AgentKey): Agent | undefined =>
  state.agents.get(keyOf(agent));

/** The registration of an agent that is in the fleet. */
export function findMember(state: RegistryState, agent: AgentKey): Registration | undefined {
  const registration = findAgent(state, agent)?.registration;
  return registration && registration.presence !== 'left' ? registration : undefined;
}

export const nextSession = (state: RegistryState): number => (state.sessions.get(LATEST) ?? 0) + 1;

export const learnedBy = (
  state: RegistryState,
  project: string,
  kind: string,
): readonly LearnedCapability[] => state.kinds.get(kindKey(project, kind))?.learned ?? [];

export const sizeOf = (state: RegistryState, project: string): Readonly<Size> =>
  state.sizes.get(project) ?? { ids: 0, fleet: 0 };

/** Declared and learned capabilities, each once, the declared first. */
export const capabilitiesOf = ({ declared, learned }: Registration): readonly string[] => [
  ...new Set([...declared, ...learned.map(({ capability }) => capability)]),
];

export const commandKey = (agent: AgentKey, id: string): string => `${keyOf(agent)}/${id}`;
export const reportKey = (agent: AgentKey, id: string): string => `${keyOf(agent)}/report/${id}`;

/* Changing it: only ever from `evolve`. */

type RegisteredData = Extract<AgentEvent, { type: 'AgentRegistered' }>['data'];

function registered(
  state: RegistryState,
  agent: AgentKey,
  data: RegisteredData,
  at: number,
  command: string | undefined,
): void {
  const { capabilities, metadata, ...rest } = data;
  opened(state, data.session);
  if (command !== undefined) {
    state.commands.record(commandKey(agent, command), at, data.session);
  }
  const registration: Registration = {
    ...rest,
    declared: capabilities,
    metadata: metadata ?? null,
    registeredAt: at,
    learned: [],
    presence: 'present',
    since: at,
    draining: false,
  };
  put(state, { ...known(state, agent), registration });
}

function learned(state: RegistryState, agent: AgentKey, skill: LearnedCapability): void {
  const registration = findAgent(state, agent)?.registration;
  if (!registration) return;
  change(state, agent, { learned: withSkill(registration.learned, skill) });
  const kind = kindKey(agent.project, registration.kind);
  state.kinds.set(kind, { learned: withSkill(state.kinds.get(kind)?.learned ?? [], skill) });
}

function withSkill(
  skills: readonly LearnedCapability[],
  { capability, confidence }: LearnedCapability,
): readonly LearnedCapability[] {
  const skill = { capability, confidence };
  return skills.some((other) => other.capability === capability)
    ? skills.map((other) => (other.capability === capability ? skill : other))
    : [...skills, skill].slice(0, limits.CAPABILITIES_MAX);
}

function counted(
  state: RegistryState,
  agent: AgentKey,
  at: number,
  command: string | undefined,
  reportId: string | undefined,
): void {
  if (command !== undefined) state.commands.record(commandKey(agent, command), at);
  if (reportId !== undefined) state.commands.record(reportKey(agent, reportId), at);
}

function opened(state: RegistryState, session: number): void {
  state.sessions.set(LATEST, Math.max(session, state.sessions.get(LATEST) ?? 0));
}

const known = (state: RegistryState, agent: AgentKey): Agent =>
  findAgent(state, agent) ?? { ...agent, credential: null, registration: null };

function change(state: RegistryState, key: AgentKey, fields: Partial<Registration>): void {
  const agent = findAgent(state, key);
  if (!agent?.registration) return;
  put(state, { ...agent, registration: { ...agent.registration, ...fields } });
}

function put(state: RegistryState, agent: Agent): void {
  const key = keyOf(agent);
  resize(state, state.agents.get(key), agent);
  state.agents.set(key, agent);
}

function resize(state: RegistryState, before: Agent | undefined, after: Agent): void {
  const { ids, fleet } = sizeOf(state, after.project);
  state.sizes.set(after.project, {
    ids: ids + (before ? 0 : 1),
    fleet: fleet + inFleet(after) - (before ? inFleet(before) : 0),
  });
}

const inFleet = ({ registration }: Agent): number =>
  registration !== null && registration.presence !== 'left' ? 1 : 0;
