import { Table } from '@athena/event-log';
import { withFailure, withSuccess, type AgentMode, type Performance } from '@athena/contracts';
import { Agent, KindRecord, keyOf, type AgentRow, type SessionEnded } from './agent.js';
import { RequirementSet, signatureOf, sortedOnce } from './requirement-set.js';

/** Requirement sets that no task refers to now, kept in case the next one does. */
export const IDLE_SETS_MAX = 1_000;

export interface Registration {
  readonly session: number;
  readonly kind: string;
  readonly capabilities: readonly string[];
  readonly maxConcurrentTasks: number;
  readonly mode: AgentMode;
}

interface ProjectFleet {
  readonly agents: Set<Agent>;
  readonly byCapability: Map<string, Set<Agent>>;
  readonly sets: Map<string, RequirementSet>;
  readonly idle: Set<RequirementSet>;
}

/** Who is there, what they can do, how well they did, and who could take a task now. */
export class Fleet {
  /** The agents by key. */
  readonly table = new Table<Agent>('agent');
  /** The records by key of project and kind. */
  readonly kindTable = new Table<KindRecord>('kind');
  readonly #projects = new Map<string, ProjectFleet>();
  #gained = new Set<RequirementSet>();

  get(project: string, agentId: string): Agent | undefined {
    return this.table.get(keyOf(project, agentId));
  }

  agents(): IterableIterator<Agent> {
    return this.table.values();
  }

  /** The agent, also one that an event names before it is (or after it was) registered. */
  ensure(project: string, agentId: string): Agent {
    const known = this.get(project, agentId);
    if (known) return known;
    const agent = new Agent(project, agentId);
    this.table.set(agent.key, agent);
    return agent;
  }

  register(agent: Agent, registration: Registration): void {
    this.#unindex(agent);
    agent.registered = true;
    agent.present = true;
    agent.draining = false;
    agent.session = registration.session;
    agent.registration = registration.session;
    agent.kind = this.kind(agent.project, registration.kind);
    agent.capabilities = new Set(registration.capabilities);
    agent.max = registration.maxConcurrentTasks;
    agent.mode = registration.mode;
    agent.cancelled = [];
    this.#index(agent);
    this.refresh(agent);
    this.#noteGain(agent);
  }

  learn(agent: Agent, capability: string): void {
    this.#unindex(agent);
    agent.capabilities = new Set([...agent.capabilities, capability]);
    this.#index(agent);
    this.#noteGain(agent);
  }

  /** A session is open again under the same registration. */
  open(agent: Agent, session: number): void {
    agent.session = session;
    agent.present = true;
    this.refresh(agent);
    this.#noteGain(agent);
  }

  /** A session ended; the agent is away unless a newer one is open. */
  end(agent: Agent, ended: SessionEnded): void {
    agent.ended = ended;
    if (ended.session >= agent.session) {
      agent.present = false;
      agent.cancelled = [];
    }
    this.refresh(agent);
    this.#noteGain(agent);
  }

  drain(agent: Agent): void {
    agent.draining = true;
    this.refresh(agent);
    this.#noteGain(agent);
  }

  resume(agent: Agent): void {
    agent.draining = false;
    this.refresh(agent);
    this.#noteGain(agent);
  }

  deregister(agent: Agent): void {
    agent.registered = false;
    agent.present = false;
    this.refresh(agent);
    this.#unindex(agent);
    this.touch(agent);
    this.forgetIfGone(agent);
  }

  /** Something durable of the agent changed. */
  touch(agent: Agent): void {
    this.table.edit(agent.key);
  }

  restoreKind(key: string, performance: Performance): void {
    const record = new KindRecord(key.slice(key.indexOf('/') + 1));
    record.count(performance);
    this.kindTable.restore(key, record);
  }

  restore(row: AgentRow): void {
    const { project, agentId, kind, capabilities, cancelled, ...own } = row;
    const agent = new Agent(project, agentId);
    Object.assign(agent, own);
    agent.kind = this.kind(project, kind);
    agent.capabilities = new Set(capabilities);
    agent.cancelled = [...cancelled];
    this.table.restore(agent.key, agent);
    if (agent.registered) this.#index(agent);
    this.refresh(agent);
  }

  /** An agent that left stays known only while something still refers to it. */
  forgetIfGone(agent: Agent): void {
    if (agent.registered || agent.active > 0 || agent.credits > 0) return;
    this.table.delete(agent.key);
  }

  kind(project: string, name: string): KindRecord {
    const key = keyOf(project, name);
    const known = this.kindTable.get(key);
    if (known) return known;
    const kind = new KindRecord(name);
    this.kindTable.set(key, kind);
    return kind;
  }

  countSuccess(project: string, kind: string, durationMs: number): void {
    const record = this.kind(project, kind);
    record.count(withSuccess(record.performance, durationMs));
    this.kindTable.edit(keyOf(project, kind));
  }

  countFailure(project: string, kind: string): void {
    const record = this.kind(project, kind);
    record.count(withFailure(record.performance));
    this.kindTable.edit(keyOf(project, kind));
  }

  /** To be called after whatever changes an agent's capacity. */
  refresh(agent: Agent): void {
    const { free, offered } = agent;
    agent.load = agent.utilisation;
    if (free === offered) return;
    agent.offered = free;
    const flipped = free > 0 !== offered > 0;
    for (const set of agent.sets) {
      if (flipped) set.available += free > 0 ? 1 : -1;
      if (free > offered) this.#gained.add(set);
    }
  }

  /** The sets for which something got better since the last call. */
  takeGained(): ReadonlySet<RequirementSet> {
    const gained = this.#gained;
    if (gained.size > 0) this.#gained = new Set();
    return gained;
  }

  /** The set of a task's requirements; each user counts in `set.tasks` until `released`. */
  setFor(project: string, requirements: readonly string[]): RequirementSet {
    const sorted = sortedOnce(requirements);
    const signature = signatureOf(sorted);
    const fleet = this.#project(project);
    const known = fleet.sets.get(signature);
    if (known) {
      fleet.idle.delete(known);
      return known;
    }
    const set = new RequirementSet(project, sorted, signature);
    for (const agent of this.capable(project, sorted)) set.join(agent);
    fleet.sets.set(signature, set);
    return set;
  }

  /** The set's last task is finished. */
  released(set: RequirementSet): void {
    const { idle, sets } = this.#project(set.project);
    idle.add(set);
    if (idle.size <= IDLE_SETS_MAX) return;
    const [oldest] = idle;
    if (oldest) this.#drop(oldest, idle, sets);
  }

  /** Every set that tasks of the project refer to, or did lately. */
  sets(project: string): Iterable<RequirementSet> {
    return this.#project(project).sets.values();
  }

  projects(): Iterable<string> {
    return this.#projects.keys();
  }

  /** Everyone registered who has all of these capabilities (product A2). */
  capable(project: string, requirements: readonly string[]): Agent[] {
    const fleet = this.#project(project);
    const pools = requirements.map((capability) => fleet.byCapability.get(capability));
    if (pools.some((pool) => pool === undefined)) return [];
    const smallest = (pools as Set<Agent>[]).reduce(
      (least, pool) => (pool.size < least.size ? pool : least),
      pools[0] ?? fleet.agents,
    );
    return [...smallest].filter((agent) =>
      requirements.every((capability) => agent.capabilities.has(capability)),
    );
  }

  /** Those of the capabilities that nobody registered has. */
  missing(project: string, requirements: readonly string[]): string[] {
    const { byCapability } = this.#project(project);
    return requirements.filter((capability) => !byCapability.has(capability));
  }

  #drop(set: RequirementSet, idle: Set<RequirementSet>, sets: Map<string, RequirementSet>): void {
    for (const agent of set.members) agent.sets.delete(set);
    idle.delete(set);
    sets.delete(set.signature);
  }

  #noteGain(agent: Agent): void {
    this.touch(agent);
    for (const set of agent.sets) this.#gained.add(set);
  }

  #project(project: string): ProjectFleet {
    const known = this.#projects.get(project);
    if (known) return known;
    const fleet: ProjectFleet = {
      agents: new Set(),
      byCapability: new Map(),
      sets: new Map(),
      idle: new Set(),
    };
    this.#projects.set(project, fleet);
    return fleet;
  }

  #index(agent: Agent): void {
    const { agents, byCapability, sets } = this.#project(agent.project);
    agents.add(agent);
    for (const capability of agent.capabilities) {
      const pool = byCapability.get(capability);
      if (pool) pool.add(agent);
      else byCapability.set(capability, new Set([agent]));
    }
    for (const set of sets.values()) if (set.metBy(agent)) set.join(agent);
  }

  #unindex(agent: Agent): void {
    const { agents, byCapability } = this.#project(agent.project);
    agents.delete(agent);
    for (const capability of agent.capabilities) {
      const pool = byCapability.get(capability);
      pool?.delete(agent);
      if (pool?.size === 0) byCapability.delete(capability);
    }
    for (const set of [...agent.sets]) set.leave(agent);
  }
}
