import type { EventDefinition, NewEvent } from '@athena/operation';
import type { z } from 'zod';

/** Names one agent of one project. */
export interface AgentKey {
  readonly project: string;
  readonly agentId: string;
}

/** An event of an agent, its data checked against the definition by the compiler. */
export const happened = <T extends EventDefinition>(
  definition: T,
  { project, agentId }: AgentKey,
  data: z.output<T['data']>,
): NewEvent => ({ type: definition.type, v: definition.version, project, id: agentId, data });

export const happenedTo = ({ project, id }: Pick<NewEvent, 'project' | 'id'>): AgentKey => ({
  project,
  agentId: id,
});
