import type { Agent } from './agent.js';
import type { Group } from './group.js';
import type { Line } from './turn.js';

/** The agents of a project that have all of some capabilities, with the tasks that ask for them. */
export class RequirementSet {
  readonly project: string;
  /** Sorted, each once. */
  readonly requirements: readonly string[];
  readonly signature: string;
  /** Everyone registered who has all of them, present or not. */
  readonly members: Agent[] = [];
  /** How many of the members can take a placement now. */
  available = 0;
  /** Unfinished tasks that refer to the set. */
  tasks = 0;
  /** Its waiting tasks, by what further keeps them apart. */
  readonly groups = new Map<string, Group>();
  /** Those that nobody can take although some could take others. */
  readonly aside = new Set<Group>();
  /** Where the others stand, by partition. */
  readonly lines = new Map<number, Line>();

  constructor(project: string, requirements: readonly string[], signature: string) {
    this.project = project;
    this.requirements = requirements;
    this.signature = signature;
  }

  metBy(agent: Agent): boolean {
    return this.requirements.every((capability) => agent.capabilities.has(capability));
  }

  join(agent: Agent): void {
    this.members.push(agent);
    agent.sets.add(this);
    if (agent.offered > 0) this.available++;
  }

  leave(agent: Agent): void {
    if (!agent.sets.delete(this)) return;
    this.members.splice(this.members.indexOf(agent), 1);
    if (agent.offered > 0) this.available--;
  }
}

export const sortedOnce = (requirements: readonly string[]): readonly string[] =>
  requirements.length < 2 ? requirements : [...new Set(requirements)].sort();

/** Labels hold no line break. */
export const signatureOf = (sorted: readonly string[]): string => sorted.join('\n');
